package io.hypercalld.iommu.virtual;

import io.hypercalld.iommu.driver.PasidSpace;
import io.hypercalld.iommu.driver.PasidView;
import io.hypercalld.iommu.unit.RequesterPasids;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Makes of a guest's PASID tables what the machine's units can go by. Immutable.
 *
 * <p>All four types of entries can be had. First-level tables are walked where they are, in guest
 * memory, on top of the domain's own table. Second-level tables are shadowed. Nested ones are both:
 * the guest's first-level tables, as they are, on top of a shadow of its second-level table.
 * Requests that pass go through the domain's own table.
 *
 * @param shadows the shadow of a guest's second-level table, made where there is none
 * @see "spec/documents.md S1-M10, S1-M11, S1-D20"
 */
record PasidFollower(
    UnitSettings guest, ShadowSpaces spaces, Function<Translated, ShadowSpace> shadows) {
  /**
   * Where the tables send a device.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOSPC no pseudo domain id, ENOMEM no frame is free
   */
  Place place(RequesterPasids said) {
    SortedMap<Integer, PasidSpace> targets = new TreeMap<>();
    Map<Integer, ShadowSpace> shadowed = new TreeMap<>();
    said.entries()
        .forEach(
            (pasid, entry) -> {
              PasidSpace target = target(entry);
              targets.put(pasid, target);
              if (target instanceof PasidSpace.Through) {
                shadowed.put(pasid, shadows.apply(table(entry)));
              }
            });
    return Place.of(
        said,
        new PasidView(said.deviceTlb(), said.pasids(), said.requestPasid(), targets),
        shadowed);
  }

  private PasidSpace target(PasidEntry entry) {
    return switch (entry.granularity().orElseThrow()) {
      case FIRST_LEVEL -> nested(entry, Optional.empty());
      case SECOND_LEVEL -> new PasidSpace.Through(shadows.apply(table(entry)).context());
      case NESTED -> nested(entry, Optional.of(table(entry)));
      case PASS_THROUGH -> new PasidSpace.Own();
    };
  }

  private PasidSpace nested(PasidEntry entry, Optional<Translated> below) {
    var key = new ShadowSpaces.Nesting(entry.domainId(), below);
    return new PasidSpace.Nested(spaces.nesting(key, below.map(shadows)), entry);
  }

  /** The second-level table of an entry. */
  private Translated table(PasidEntry entry) {
    AddressWidth width = AddressWidth.of(entry.addressWidthEncoding()).orElseThrow();
    return new Translated(
        entry.domainId(),
        entry.secondLevelRoot(),
        width.levels(),
        Math.min(width.bits(), guest.capabilities().maximumGuestAddressWidth()));
  }
}
