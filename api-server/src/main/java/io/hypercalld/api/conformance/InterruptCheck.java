package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.After;
import io.hypercalld.api.conformance.CorpusCase.InterruptRule;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Holds what becomes of an interrupt request to what the specification says of it. Confined to the
 * thread that runs the case.
 */
final class InterruptCheck {
  /** The recorded implementations know no requester of a plain write. */
  private static final int NO_REQUESTER = 0xffff;

  private static final int MAX_INDEX = 0xffff;

  private final CaseMachine machine;
  private final RegisterCheck registers;
  private final Report report;

  InterruptCheck(CaseMachine machine, RegisterCheck registers, Report report) {
    this.machine = machine;
    this.registers = registers;
    this.report = report;
  }

  /**
   * Makes the request.
   *
   * @param message whether the device sent it as a message, rather than as a plain write
   */
  Optional<Mismatch> check(Transfer transfer, After after, InterruptRule rule, boolean message) {
    after.deviation().ifPresent(report::deviation);
    after.deviation().ifPresent(registers::diverge);
    RemappableMessage request = new RemappableMessage(transfer.iova(), data(transfer));
    SourceId requester = machine.requester(transfer.device()).sourceId();
    long suppressed = machine.unit().counters().faultsSuppressed();
    InterruptOutcome outcome =
        machine.rootComplex.interrupt(
            machine.requester(transfer.device()), transfer.iova(), request.data());
    if (outcome instanceof InterruptOutcome.Delivered(var delivered, _)) {
      machine.forget(delivered);
    }
    if (after.blocked()) {
      reported(request, after, rule, message ? requester : new SourceId(NO_REQUESTER));
    }
    boolean silent = machine.unit().counters().faultsSuppressed() != suppressed;
    return outcome(requester, rule, outcome, silent);
  }

  private static int data(Transfer transfer) {
    return ByteBuffer.wrap(transfer.data().part(0, Integer.BYTES))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getInt();
  }

  /** The recorded implementation blocked the request; the older one leaves no record of that. */
  private void reported(
      RemappableMessage request, After after, InterruptRule rule, SourceId requester) {
    FaultReason reason =
        after
            .reason()
            .orElseGet(
                () ->
                    after.deviation().isPresent() || rule.delivered()
                        ? FaultReason.INTERRUPT_SOURCE_INVALID
                        : FaultReason.of(rule.reason())
                            .orElse(FaultReason.INTERRUPT_SOURCE_INVALID));
    if (!Recorder.isNewer(machine.unit().capabilities())) {
      report.freedom(Freedom.NO_INTERRUPT_FAULT);
      registers.diverge(Freedom.NO_INTERRUPT_FAULT.effect());
    } else if (!reason.isQualified() || !entry(request).disablesFaultProcessing()) {
      registers.reported(FaultRecord.interrupt(requester, request.index() & MAX_INDEX, reason));
    }
  }

  private InterruptEntry entry(RemappableMessage request) {
    long table = InterruptTableAddress.IRTA.inPlace(machine.unit().read64(Register.IRTA.offset()));
    long at = table + (long) (request.index() & MAX_INDEX) * InterruptEntry.BYTES;
    return new InterruptEntry(machine.word(at), machine.word(at + Long.BYTES));
  }

  /** Whether an outcome is the specification's. */
  private Optional<Mismatch> outcome(
      SourceId requester, InterruptRule rule, InterruptOutcome outcome, boolean silent) {
    return switch (outcome) {
      case InterruptOutcome.Delivered(var message, var index) ->
          delivered(rule, message, index.orElse(-1));
      case InterruptOutcome.Blocked blocked -> blocked(requester, rule, blocked, silent);
      case InterruptOutcome.Posted posted -> mismatch(rule, "posted " + posted.vector());
    };
  }

  private static Optional<Mismatch> delivered(
      InterruptRule rule, InterruptMessage message, int index) {
    Map<String, Long> got = new TreeMap<>();
    got.put("index", (long) index);
    got.put("vector", (long) message.vector());
    got.put("delivery", (long) message.mode());
    got.put("trigger", message.levelTriggered() ? 1L : 0);
    got.put("dest", Integer.toUnsignedLong(message.destination()));
    got.put("dest_mode", message.logical() ? 1L : 0);
    boolean right =
        rule.delivered()
            && rule.fields().entrySet().stream()
                .allMatch(field -> field.getValue().equals(got.get(field.getKey())));
    return right ? Optional.empty() : mismatch(rule, "delivered " + got);
  }

  private Optional<Mismatch> blocked(
      SourceId requester, InterruptRule rule, InterruptOutcome.Blocked blocked, boolean silent) {
    if (rule.delivered()
        || rule.reason() != blocked.reason().code()
        || rule.suppressed() != silent) {
      return mismatch(rule, (silent ? "fpd " : "fault:") + Hex.of(blocked.reason().code()));
    }
    if (!silent) {
      registers.blocked(FaultRecord.interrupt(requester, blocked.index(), blocked.reason()));
    }
    return Optional.empty();
  }

  private static Optional<Mismatch> mismatch(InterruptRule rule, String got) {
    String expected =
        rule.delivered()
            ? "delivered " + rule.fields()
            : (rule.suppressed() ? "fpd " : "fault:") + Hex.of(rule.reason());
    return Optional.of(new Mismatch("interrupt", expected, got));
  }
}
