package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;

/**
 * What a context entry can point at. Immutable.
 *
 * @param tag the domain, or the pseudo domain id, whose domain-id tags cached translations; one tag
 *     always goes with one table
 * @param levels how many levels the table has; a unit that walks fewer starts lower down
 * @param root where a walk starts
 */
record AddressSpace(DomainId tag, int levels, Root root) {
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
