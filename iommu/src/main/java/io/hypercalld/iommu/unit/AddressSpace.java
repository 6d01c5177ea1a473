package io.hypercalld.iommu.unit;

/**
 * What a walk needs to know of a PASID entry; filled anew for each walk. Confined to the machine
 * thread.
 */
final class AddressSpace {
  /** A {@link JudgedPasid} word. */
  long judged;

  /** Address of the top first-level table; a second-level input address when nested. */
  long firstLevelRoot;

  /** Machine address of the top second-level table. */
  long secondLevelRoot;

  boolean isNested() {
    return JudgedPasid.isNested(judged);
  }

  int number() {
    return JudgedPasid.space(judged);
  }
}
