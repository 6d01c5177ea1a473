package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.unit.ExplainStep.Table;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;

/** Says what would have to be different for a blocked request to pass. Stateless. */
final class PassCondition {
  private PassCondition() {}

  /**
   * The condition in words.
   *
   * @param steps of the request, the last blocked one being the cause
   */
  static String of(FaultReason reason, List<ExplainStep> steps) {
    Optional<ExplainStep> cause =
        steps.stream().filter(ExplainStep::isBlocked).reduce((_, last) -> last);
    return cause.filter(PassCondition::isCache).isPresent()
        ? "the %s entry, which memory contradicts, were invalidated".formatted(cause.get().table())
        : of(reason, cause.map(PassCondition::entry).orElse("the entry"));
  }

  private static boolean isCache(ExplainStep step) {
    return step.table() == Table.CONTEXT_CACHE || step.table() == Table.IOTLB;
  }

  private static String of(FaultReason reason, String entry) {
    return switch (reason) {
      case ROOT_NOT_PRESENT -> entry + " had P set and led to a context table";
      case CONTEXT_NOT_PRESENT -> entry + " had P set: no domain owns the device's requests";
      case CONTEXT_INVALID ->
          entry + " named a translation type, an address width and a table that the unit can use";
      case ADDRESS_BEYOND_WIDTH -> "the address lay within the width that the unit translates";
      case WRITE_NOT_PERMITTED -> entry + " had W set";
      case READ_NOT_PERMITTED -> entry + " had R set";
      case PAGING_ENTRY_UNREADABLE, ROOT_ENTRY_UNREADABLE, CONTEXT_ENTRY_UNREADABLE ->
          entry + " lay in memory";
      case ROOT_ENTRY_RESERVED, CONTEXT_ENTRY_RESERVED, PAGING_ENTRY_RESERVED ->
          entry + " had its reserved bits clear";
      case REQUEST_TYPE_BLOCKED -> "the request were untranslated";
      case OUTPUT_IN_INTERRUPT_RANGE -> entry + " pointed outside 0xfee00000-0xfeefffff";
      case ROOT_TABLE_MODE_INVALID, DMA_ABORTED -> "RTADDR.TTM named legacy mode and SRTP followed";
      case INTERRUPT_REQUEST_RESERVED,
          INTERRUPT_INDEX_BEYOND_TABLE,
          INTERRUPT_ENTRY_NOT_PRESENT,
          INTERRUPT_ENTRY_UNREADABLE,
          INTERRUPT_ENTRY_RESERVED,
          COMPATIBILITY_INTERRUPT_BLOCKED,
          INTERRUPT_SOURCE_INVALID,
          POSTED_DESCRIPTOR_UNREADABLE,
          POSTED_DESCRIPTOR_RESERVED,
          INTERRUPT_REQUEST_WITH_PASID ->
          throw new IllegalStateException("a memory request does not end with " + reason);
    };
  }

  private static String entry(ExplainStep step) {
    String level = step.table() == Table.SECOND_LEVEL ? " of level " + step.level() : "";
    return "the %s entry%s at 0x%x".formatted(step.table(), level, step.address());
  }
}
