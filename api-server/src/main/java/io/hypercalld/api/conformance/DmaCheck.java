package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes a device's requests, one page at a time, and holds what becomes of each to the set that the
 * recording allows. Confined to the thread that runs the case.
 */
final class DmaCheck {
  private static final int PAGE = 4096;

  /** Bytes of memory that one of the two implementations wrote and the other did not. */
  private record Range(long start, long end) {
    boolean overlaps(long maddr, int length) {
      return start < maddr + length && maddr < end;
    }
  }

  /** What this silicon made of one segment. */
  record Result(Outcome outcome, DmaSegment.End end, Bytes bytes) {}

  private final CaseMachine machine;
  private final RegisterCheck registers;
  private final Report report;
  private final UpdateCheck updates;
  private final List<Range> diverged = new ArrayList<>();

  DmaCheck(CaseMachine machine, RegisterCheck registers, Report report) {
    this.machine = machine;
    this.registers = registers;
    this.report = report;
    this.updates = new UpdateCheck(machine);
  }

  /** Makes one request within a page, as the device of the transfer. */
  Result request(Transfer transfer, int offset, int length) {
    DmaRequester requester = machine.requester(transfer.device());
    long iova = transfer.iova() + offset;
    long suppressed = machine.unit.counters().faultsSuppressed();
    byte[] bytes = transfer.write() ? transfer.data().part(offset, length) : new byte[length];
    DmaOutcome done =
        transfer.write()
            ? machine.rootComplex.write(requester, iova, bytes)
            : machine.rootComplex.read(requester, iova, bytes);
    DmaSegment.End end = done.segments().getFirst().end();
    boolean silent = machine.unit.counters().faultsSuppressed() != suppressed;
    return new Result(Outcome.of(end, silent), end, new Bytes(bytes));
  }

  /** Performs a whole DMA; the first segment that is wrong decides. */
  Optional<Mismatch> check(Step.Dma dma, String id) {
    Transfer transfer = dma.transfer();
    Optional<Mismatch> wrong = Optional.empty();
    List<Result> results = new ArrayList<>();
    if (dma.updates().checked()) {
      updates.begin();
    }
    int offset = 0;
    int index = 0;
    do {
      long iova = transfer.iova() + offset;
      int length = Math.min(transfer.length() - offset, PAGE - (int) (iova & (PAGE - 1)));
      Result result = request(transfer, offset, length);
      results.add(result);
      if (wrong.isEmpty() && index < dma.segments().size()) {
        Segment segment = dma.segments().get(index);
        String place = "segment " + index;
        wrong = judge(transfer, segment, result, offset, id + " " + place).map(m -> m.at(place));
      }
      offset += length;
      index++;
    } while (offset < transfer.length());
    dma.updates().deviation().ifPresent(report::deviation);
    return wrong.isPresent() || !dma.updates().checked() ? wrong : updates.finish(dma, results);
  }

  private Optional<Mismatch> judge(
      Transfer transfer, Segment segment, Result result, int offset, String where) {
    return switch (segment.exemption()) {
      case BUS_MASTER_OFF, INTERRUPT_RANGE -> notTranslated(segment, result);
      case UNOBSERVABLE -> {
        report.skip(where, "unobservable in the recording");
        forgive(transfer, segment, result);
        yield Optional.empty();
      }
      case NONE -> compare(transfer, segment, result, offset);
    };
  }

  private Optional<Mismatch> notTranslated(Segment segment, Result result) {
    if (segment.exemption() == Segment.Exemption.INTERRUPT_RANGE
        && result.end() instanceof DmaSegment.Unsupported) {
      report.deviation("interrupt-range-input");
    }
    return result.outcome() instanceof Outcome.NotTranslated
            || result.outcome() instanceof Outcome.Faulted
        ? Optional.empty()
        : Optional.of(
            new Mismatch("outcome", segment.exemption().name(), result.outcome().toString()));
  }

  private Optional<Mismatch> compare(
      Transfer transfer, Segment segment, Result result, int offset) {
    segment.deviation().ifPresent(report::deviation);
    if (!isAllowed(transfer, segment, result.outcome())) {
      return Optional.of(
          new Mismatch(
              "outcome",
              segment.allowed().isEmpty()
                  ? segment.observed().toString()
                  : segment.allowed().toString(),
              result.outcome().toString()));
    }
    forgive(transfer, segment, result);
    return bytes(transfer, segment, result, offset).or(() -> recorded(transfer, segment, result));
  }

  /** Whether an outcome is one of those listed, or one that the specification leaves open. */
  private boolean isAllowed(Transfer transfer, Segment segment, Outcome got) {
    boolean listed =
        segment.allowed().isEmpty()
            ? segment.observed().filter(got::equals).isPresent()
            : segment.allowed().contains(got);
    if (listed) {
      return true;
    }
    Optional<String> freedom =
        OutcomeFreedoms.of(machine, machine.requester(transfer.device()), segment, got);
    freedom.ifPresent(report::deviation);
    return freedom.isPresent();
  }

  /** Where the recorded implementation did something else, what follows from it may differ. */
  private void forgive(Transfer transfer, Segment segment, Result result) {
    if (segment.observed().filter(result.outcome()::equals).isPresent()) {
      return;
    }
    registers.excuse(Consequence.FAULTS, segment.deviation().orElse("another allowed outcome"));
    if (transfer.write()) {
      segment.landed().forEach(maddr -> diverge(maddr, result.bytes().length()));
      if (result.outcome() instanceof Outcome.Passed(long maddr)) {
        diverge(maddr, result.bytes().length());
      }
    }
  }

  private void diverge(long maddr, int length) {
    diverged.add(new Range(maddr, maddr + length));
  }

  private boolean hasDiverged(long maddr, int length) {
    return diverged.stream().anyMatch(range -> range.overlaps(maddr, length));
  }

  /** The data of a request that passed: where it went, or where it came from. */
  private Optional<Mismatch> bytes(Transfer transfer, Segment segment, Result result, int offset) {
    if (!(result.end() instanceof DmaSegment.Moved moved)) {
      return Optional.empty();
    }
    int length = result.bytes().length();
    byte[] there = new byte[length];
    machine.memory.read(moved.maddr(), there, 0, length);
    if (!result.bytes().equal(there)) {
      return Optional.of(
          new Mismatch("memory", result.bytes().toString(), new Bytes(there).toString()));
    }
    boolean same = segment.observed().filter(result.outcome()::equals).isPresent();
    if (!same || hasDiverged(moved.maddr(), length)) {
      return Optional.empty();
    }
    if (transfer.write()) {
      boolean found = segment.landed().isEmpty() || segment.landed().contains(moved.maddr());
      return found
          ? Optional.empty()
          : Optional.of(
              new Mismatch("landed", Hex.of(segment.landed().getFirst()), Hex.of(moved.maddr())));
    }
    byte[] received = transfer.data().part(offset, length);
    return result.bytes().equal(received)
        ? Optional.empty()
        : Optional.of(
            new Mismatch("data", new Bytes(received).toString(), result.bytes().toString()));
  }

  /** A fault that got a record is the one in the record. */
  private Optional<Mismatch> recorded(Transfer transfer, Segment segment, Result result) {
    if (!(result.end() instanceof DmaSegment.Faulted faulted) || !faulted.recorded()) {
      return Optional.empty();
    }
    int offset = machine.unit.capabilities().faultRecordOffset(0);
    long lo = machine.unit.read64(offset);
    long hi = machine.unit.read64(offset + Long.BYTES);
    int width = machine.unit.capabilities().maximumGuestAddressWidth();
    long page = segment.iova() & -PAGE & ((1L << width) - 1);
    boolean right =
        lo == page
            && FaultRecord.F.isSet(hi)
            && FaultRecord.T1.isSet(hi) != transfer.write()
            && FaultRecord.FR.get(hi) == faulted.reason().code()
            && FaultRecord.SID.get(hi) == machine.requester(transfer.device()).sourceId().value();
    return right
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                "record", result.outcome() + " at " + Hex.of(page), Hex.of(hi) + ":" + Hex.of(lo)));
  }
}
