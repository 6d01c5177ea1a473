package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import java.util.Optional;

/**
 * What a context entry can point at. Immutable.
 *
 * @param tag the domain, or the pseudo domain id, whose domain-id tags cached translations; one tag
 *     always goes with one table
 * @param levels how many levels the table has; a unit that walks fewer starts lower down
 * @param root where a walk starts; empty where requests pass untranslated
 */
record AddressSpace(DomainId tag, int levels, Optional<Root> root) {
  AddressSpace(DomainId tag, int levels, Root root) {
    this(tag, levels, Optional.of(root));
  }

  /** All of the machine, each address as the device gives it. */
  static AddressSpace untranslated(DomainId tag) {
    return new AddressSpace(tag, 0, Optional.empty());
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
