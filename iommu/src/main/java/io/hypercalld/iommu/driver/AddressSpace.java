package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.Optional;

/**
 * What an entry of a context or PASID table can point at. Immutable.
 *
 * @param tag the domain, or the pseudo domain id, whose domain-id tags cached translations; one tag
 *     always goes with one second-level table
 * @param levels how many levels the table has; a unit that walks fewer starts lower down
 * @param root where a walk starts; empty where requests pass untranslated
 * @param firstLevel a guest's PASID entry whose first-level tables lie, and lead, into the space;
 *     empty where second-level tables alone translate
 */
record AddressSpace(
    DomainId tag, int levels, Optional<Root> root, Optional<PasidEntry> firstLevel) {
  /** A space that second-level tables alone translate. */
  AddressSpace(DomainId tag, int levels, Root root) {
    this(tag, levels, Optional.of(root), Optional.empty());
  }

  /** All of the machine, each address as the device gives it. */
  static AddressSpace untranslated(DomainId tag) {
    return new AddressSpace(tag, 0, Optional.empty(), Optional.empty());
  }

  /** A guest's first-level tables on top of this space. */
  AddressSpace below(PasidEntry guest, DomainId nestedTag) {
    return new AddressSpace(nestedTag, levels, root, Optional.of(guest));
  }

  /** The table that a walk of so many levels starts in. */
  @FunctionalInterface
  interface Root {
    /**
     * Machine address of the table.
     *
     * @throws io.hypercalld.core.errno.Refusal ENOMEM where the way down to it cannot be built
     */
    long forLevels(int levels);
  }
}
