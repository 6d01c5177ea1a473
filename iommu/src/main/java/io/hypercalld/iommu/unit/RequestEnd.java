package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;

/**
 * Where every request ends: it passes, unless a protected region is in its way, or it is blocked
 * and its fault recorded. Confined to the machine thread.
 */
final class RequestEnd {
  private final ProtectedMemory protectedMemory;
  private final FaultLog log;
  private final UnitCounters counters;

  RequestEnd(Circuit circuit, FaultLog log, ProtectedMemory protectedMemory) {
    this.protectedMemory = protectedMemory;
    this.log = log;
    this.counters = circuit.counters();
  }

  /**
   * The request goes on to its address in the page; a translation request gets it for an answer.
   *
   * @param page a {@link Leaf} word
   */
  void pass(long page, long iova, Translation out) {
    out.map(page, iova);
    protect(out);
  }

  void passUntranslated(long address, Translation out) {
    counters.untranslated++;
    out.passUntranslated(address);
    protect(out);
  }

  private void protect(Translation out) {
    if (protectedMemory.blocks(out.maddr())) {
      counters.protectedBlocks++;
      out.protect();
    }
  }

  /**
   * The request is blocked.
   *
   * @param disabled FPD of an entry that was used: a qualified fault goes unrecorded
   */
  void block(MemoryRequest request, FaultReason reason, boolean disabled, Translation out) {
    if (isAnswer(request.access(), reason)) {
      out.mapNothing(request.iova());
      return;
    }
    out.because(reason);
    counters.countFault(reason, request.access());
    if (disabled && reason.isQualified()) {
      counters.faultsSuppressed++;
    } else if (log.record(request, reason)) {
      out.noteRecorded();
    }
  }

  /** Whether a protected region is in the way of requests to the address. */
  boolean protects(long maddr) {
    return protectedMemory.blocks(maddr);
  }

  /** Whether the fault log would take another fault of the requester. */
  boolean canRecord(SourceId requester) {
    return log.canRecord(requester.value());
  }

  /** Whether a translation request is told that it may do nothing, which is no fault. */
  static boolean isAnswer(DmaAccess access, FaultReason reason) {
    return access == DmaAccess.TRANSLATION_REQUEST
        && switch (reason) {
          case READ_NOT_PERMITTED,
              WRITE_NOT_PERMITTED,
              SCALABLE_READ_NOT_PERMITTED,
              SCALABLE_WRITE_NOT_PERMITTED,
              SECOND_LEVEL_NOT_PERMITTED,
              FIRST_LEVEL_NOT_PRESENT,
              USER_NOT_PERMITTED,
              EXECUTE_NOT_PERMITTED ->
              true;
          default -> false;
        };
  }
}
