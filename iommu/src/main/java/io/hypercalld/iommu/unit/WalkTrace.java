package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.unit.ExplainStep.Table;

/** Hears of every entry that a walk looks at. */
interface WalkTrace {
  /**
   * An entry was read.
   *
   * @param table whose entry it is, {@link Table#FIRST_LEVEL} or {@link Table#SECOND_LEVEL}
   * @param address of the entry in the memory that was read
   * @param end 0 where the walk goes on, else the {@link Leaf} word in which it ends
   */
  void entry(Table table, int level, long address, long entry, long end);

  /** An entry could not be read, and the walk ends with the fault of this {@link Leaf} word. */
  void unreadable(Table table, int level, long address, long fault);

  /** A paging-structure cache knew the table of level 1. */
  void remembered(long table);
}
