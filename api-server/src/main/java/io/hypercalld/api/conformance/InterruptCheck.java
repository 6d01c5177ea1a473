package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.InterruptRule;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.InterruptMessage;
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
  private final CaseMachine machine;
  private final RegisterCheck registers;

  InterruptCheck(CaseMachine machine, RegisterCheck registers) {
    this.machine = machine;
    this.registers = registers;
  }

  /** Makes the request. */
  InterruptOutcome request(Transfer transfer) {
    int message =
        ByteBuffer.wrap(transfer.data().part(0, Integer.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getInt();
    return machine.rootComplex.interrupt(
        machine.requester(transfer.device()), transfer.iova(), message);
  }

  /** Whether an outcome is the specification's. */
  Optional<Mismatch> check(Transfer transfer, InterruptRule rule, InterruptOutcome outcome) {
    Optional<Mismatch> wrong =
        switch (outcome) {
          case InterruptOutcome.Delivered(var message, _) -> delivered(rule, message);
          case InterruptOutcome.Blocked blocked -> blocked(transfer, rule, blocked);
          case InterruptOutcome.Posted posted -> mismatch(rule, "posted " + posted.vector());
        };
    return wrong;
  }

  private Optional<Mismatch> delivered(InterruptRule rule, InterruptMessage message) {
    Map<String, Long> got = new TreeMap<>();
    got.put("vector", (long) message.vector());
    got.put("delivery", (long) message.mode().encoding());
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
      Transfer transfer, InterruptRule rule, InterruptOutcome.Blocked blocked) {
    if (rule.delivered() || rule.reason() != blocked.reason().code()) {
      return mismatch(rule, "fault:" + Hex.of(blocked.reason().code()));
    }
    if (blocked.recorded() && rule.suppressed()) {
      return mismatch(rule, "a record of fault:" + Hex.of(blocked.reason().code()));
    }
    return blocked.recorded() ? recorded(transfer, rule, blocked) : Optional.empty();
  }

  /** A fault that got a record is the one in the record, and the older recording has none. */
  private Optional<Mismatch> recorded(
      Transfer transfer, InterruptRule rule, InterruptOutcome.Blocked blocked) {
    registers.excuse(Consequence.FAULTS, "interrupt-fault-not-recorded");
    FaultRecord record =
        FaultRecord.interrupt(
            machine.requester(transfer.device()).sourceId(), blocked.index(), blocked.reason());
    int offset = machine.unit.capabilities().faultRecordOffset(0);
    boolean right =
        machine.unit.read64(offset) == record.lo()
            && machine.unit.read64(offset + Long.BYTES) == record.hi();
    return right ? Optional.empty() : mismatch(rule, "another record");
  }

  private static Optional<Mismatch> mismatch(InterruptRule rule, String got) {
    String expected =
        rule.delivered()
            ? "delivered " + rule.fields()
            : (rule.suppressed() ? "fpd " : "fault:") + Hex.of(rule.reason());
    return Optional.of(new Mismatch("interrupt", expected, got));
  }
}
