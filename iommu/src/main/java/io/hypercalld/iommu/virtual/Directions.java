package io.hypercalld.iommu.virtual;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RequesterPasids;
import io.hypercalld.iommu.unit.RequesterSpace;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Objects;
import java.util.Optional;

/**
 * What a guest's root, context and PASID tables say of a device's requests at a moment: which table
 * they go through, not what that table says. Immutable.
 *
 * <p>A guest has what it changed forgotten before it takes effect: its context or PASID entry by a
 * command of that cache. Without caching mode it need not say that an absent entry became present.
 *
 * @param plain of requests in legacy mode
 * @param pasids of requests in scalable mode
 * @see "VT-d §6.1, §6.2.2.1, §6.2.2.2"
 */
record Directions(RequesterSpace plain, RequesterPasids pasids) {
  private static final RequesterSpace NOWHERE =
      new RequesterSpace.Blocked(FaultReason.CONTEXT_NOT_PRESENT);

  /** Of a unit that does not translate. */
  static final Directions NONE = new Directions(NOWHERE, RequesterPasids.BLOCKED);

  /** What tables of legacy mode say now. */
  static Directions legacy(RemappingUnit unit, Optional<SourceId> seen) {
    RequesterSpace said = seen.map(unit::spaceOf).orElse(NOWHERE);
    return new Directions(
        said instanceof RequesterSpace.Blocked ? NOWHERE : said, RequesterPasids.BLOCKED);
  }

  /** What tables of scalable mode say now. */
  static Directions scalable(RemappingUnit unit, Optional<SourceId> seen) {
    return new Directions(NOWHERE, seen.map(unit::pasidsOf).orElse(RequesterPasids.BLOCKED));
  }

  /** Whether both say the same of a PASID. */
  boolean agree(Directions other, int pasid) {
    return plain.equals(other.plain)
        && Objects.equals(pasids.entries().get(pasid), other.pasids.entries().get(pasid));
  }

  /** Whether requests with a PASID are let through to any table, or to memory. */
  boolean leadAnywhere(int pasid) {
    return !plain.equals(NOWHERE) || pasids.entries().containsKey(pasid);
  }
}
