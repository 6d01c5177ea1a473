package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import java.util.Optional;

/**
 * Outcomes of requests that a recording does not list although the specification leaves them open,
 * or demands them: each under the name of the deviation that says so.
 */
final class OutcomeFreedoms {
  private static final String PERMISSION_FIRST = "perm-before-reserved";

  private OutcomeFreedoms() {}

  /** The freedom that lets {@code got} pass; empty where none does. */
  static Optional<String> of(
      CaseMachine machine, DmaRequester requester, Segment segment, Outcome got) {
    if (segment.deviation().filter(PERMISSION_FIRST::equals).isPresent()
        && segment.observed().filter(got::equals).isPresent()) {
      return Optional.of(PERMISSION_FIRST);
    }
    if (segment.allowed().isEmpty()) {
      return isScalableFault(machine, got) ? Optional.of("scalable-unspecified") : Optional.empty();
    }
    ContextEntry context = contextEntry(machine, requester.sourceId());
    if (segment.passThrough() && isChecked(machine, context, segment.iova(), got)) {
      return Optional.of("pass-through-not-checked");
    }
    boolean reserved =
        segment.allowed().stream()
            .anyMatch(new Outcome.Faulted(FaultReason.CONTEXT_ENTRY_RESERVED.code())::equals);
    return reserved && got instanceof Outcome.Suppressed && context.disablesFaultProcessing()
        ? Optional.of("context-reserved-not-qualified")
        : Optional.empty();
  }

  /**
   * The older recording does not say what the specification wants of scalable mode, and its own
   * reasons and walks are known to be others.
   */
  private static boolean isScalableFault(CaseMachine machine, Outcome got) {
    long root = machine.unit.read64(Register.RTADDR.offset());
    return RootTableAddress.mode(root) == RootTableAddress.Mode.SCALABLE
        && got instanceof Outcome.Faulted(int reason)
        && reason >= FaultReason.ROOT_TABLE_MODE_INVALID.code();
  }

  /** Pass-through demands the largest address width, and an address that memory could have. */
  private static boolean isChecked(
      CaseMachine machine, ContextEntry context, long iova, Outcome got) {
    int width = machine.unit.settings().hostAddressWidth();
    boolean wide =
        got.equals(new Outcome.Faulted(FaultReason.ADDRESS_BEYOND_WIDTH.code()))
            && iova >>> width != 0;
    boolean narrow =
        got.equals(new Outcome.Faulted(FaultReason.CONTEXT_INVALID.code()))
            && context.addressWidthEncoding() != largestWidth(machine.unit.capabilities());
    return wide || narrow;
  }

  private static int largestWidth(Capabilities capabilities) {
    return Long.SIZE - 1 - Long.numberOfLeadingZeros(capabilities.sagaw());
  }

  /** The requester's legacy context entry as it is in memory. */
  private static ContextEntry contextEntry(CaseMachine machine, SourceId requester) {
    long root =
        RootTableAddress.table(machine.unit.read64(Register.RTADDR.offset()))
            & ((1L << machine.unit.settings().hostAddressWidth()) - 1);
    RootEntry entry = new RootEntry(machine.word(root + RootEntry.offset(requester)), 0);
    long address = entry.contextTable() + ContextEntry.offset(requester);
    return new ContextEntry(machine.word(address), machine.word(address + Long.BYTES));
  }
}
