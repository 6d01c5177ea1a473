package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;

/** Where tables in memory send a requester's requests that carry no PASID. */
public sealed interface RequesterSpace {
  /** Nowhere. */
  record Blocked(FaultReason reason) implements RequesterSpace {}

  /** Unchanged to memory. */
  record Passing() implements RequesterSpace {}

  /**
   * Through second-level tables.
   *
   * @param domainId what tags cached translations
   * @param root address of the top table
   * @param levels how many levels of tables there are
   * @param addressBits how many bits an input address may have
   */
  record Translated(int domainId, long root, int levels, int addressBits)
      implements RequesterSpace {}
}
