package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;

/** Says what would have to be different for a blocked interrupt request to pass. Stateless. */
final class InterruptCondition {
  private InterruptCondition() {}

  static String of(FaultReason reason, InterruptJudgement judgement) {
    String entry = "entry 0x%x".formatted(judgement.index());
    return switch (reason) {
      case INTERRUPT_REQUEST_RESERVED ->
          "address bits 63:32 were clear, and data bits 31:16 where the subhandle is valid";
      case INTERRUPT_INDEX_BEYOND_TABLE -> "IRTA.S made the table large enough, and SIRTP followed";
      case INTERRUPT_ENTRY_NOT_PRESENT -> entry + " had P set";
      case INTERRUPT_ENTRY_UNREADABLE -> entry + " lay in memory";
      case INTERRUPT_ENTRY_RESERVED ->
          entry + " had its reserved bits clear and fields that mean something to the unit";
      case COMPATIBILITY_INTERRUPT_BLOCKED ->
          "the message were remappable, or GSTS.CFIS set and IRTA.EIME clear";
      case INTERRUPT_SOURCE_INVALID -> entry + " named the requester in SID, SQ and SVT";
      case POSTED_DESCRIPTOR_UNREADABLE -> entry + " pointed to a descriptor in memory";
      case POSTED_DESCRIPTOR_RESERVED -> "the descriptor had its reserved bits clear";
      default -> throw new IllegalStateException("no interrupt request ends with " + reason);
    };
  }
}
