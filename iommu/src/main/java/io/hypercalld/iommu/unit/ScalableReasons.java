package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;

/**
 * What legacy mode's fault reasons of second-stage tables are called in scalable mode. Stateless.
 *
 * @see "VT-d §7.1.3"
 */
final class ScalableReasons {
  private ScalableReasons() {}

  /** The same answer of a walk, a {@link Leaf} word, with scalable mode's reason in a fault. */
  static long of(long leaf) {
    return Leaf.isFault(leaf) ? Leaf.fault(reason(leaf)) | Leaf.permissions(leaf) : leaf;
  }

  private static FaultReason reason(long fault) {
    FaultReason legacy = Leaf.reason(fault);
    return switch (legacy) {
      case CONTEXT_INVALID -> FaultReason.SECOND_LEVEL_TOP_UNREADABLE;
      case PAGING_ENTRY_UNREADABLE -> FaultReason.SECOND_LEVEL_UNREADABLE;
      case PAGING_ENTRY_RESERVED -> FaultReason.SECOND_LEVEL_RESERVED;
      case OUTPUT_IN_INTERRUPT_RANGE -> FaultReason.SCALABLE_OUTPUT_IN_INTERRUPT_RANGE;
      case WRITE_NOT_PERMITTED, READ_NOT_PERMITTED ->
          Leaf.isAbsent(fault) ? FaultReason.SECOND_LEVEL_NOT_PERMITTED : ofPermission(legacy);
      default -> legacy;
    };
  }

  /** The reason of a page that does not permit what a request wants. */
  static FaultReason ofPermission(FaultReason legacy) {
    return legacy == FaultReason.WRITE_NOT_PERMITTED
        ? FaultReason.SCALABLE_WRITE_NOT_PERMITTED
        : FaultReason.SCALABLE_READ_NOT_PERMITTED;
  }

  /**
   * The answer when a first level asked for the address of one of its own tables.
   *
   * @param leaf scalable mode's answer of the second-stage walk
   * @param top whether it is the top table
   */
  static long ofNestedTable(long leaf, boolean top) {
    if (!Leaf.isFault(leaf)) {
      return leaf;
    }
    return switch (Leaf.reason(leaf)) {
      case SECOND_LEVEL_NOT_PERMITTED, SCALABLE_READ_NOT_PERMITTED ->
          Leaf.fault(
              top ? FaultReason.NESTED_TOP_NOT_READABLE : FaultReason.NESTED_TABLE_NOT_READABLE);
      case SCALABLE_WRITE_NOT_PERMITTED -> Leaf.fault(FaultReason.NESTED_TABLE_NOT_WRITABLE);
      default -> leaf;
    };
  }
}
