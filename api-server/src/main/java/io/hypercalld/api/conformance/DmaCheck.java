package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a device's requests, one page at a time, and holds what becomes of each to the set that the
 * recording allows. Confined to the thread that runs the case.
 */
final class DmaCheck {
  private static final int PAGE = 4096;

  /** Reasons for reserved bits of a paging entry. */
  private static final Set<Outcome> RESERVED =
      Set.of(
          new Outcome.Faulted(FaultReason.PAGING_ENTRY_RESERVED.code()),
          new Outcome.Faulted(FaultReason.FIRST_LEVEL_RESERVED.code()),
          new Outcome.Faulted(FaultReason.SECOND_LEVEL_RESERVED.code()));

  private static final Set<Integer> PERMISSIONS =
      Set.of(
          FaultReason.WRITE_NOT_PERMITTED.code(),
          FaultReason.READ_NOT_PERMITTED.code(),
          FaultReason.SECOND_LEVEL_NOT_PERMITTED.code(),
          FaultReason.SCALABLE_WRITE_NOT_PERMITTED.code(),
          FaultReason.SCALABLE_READ_NOT_PERMITTED.code());

  /** An address beyond a second-level width: recordings allow both wherever they allow one. */
  private static final Set<Integer> BEYOND_WIDTH =
      Set.of(
          FaultReason.OUTPUT_BEYOND_HARDWARE.code(), FaultReason.INPUT_BEYOND_SECOND_LEVEL.code());

  /** What this silicon made of one segment. */
  record Result(Outcome outcome, DmaSegment.End end, Bytes bytes) {}

  private final CaseMachine machine;
  private final RegisterCheck registers;
  private final Report report;
  private final UpdateCheck updates;
  private final DataCheck data;

  DmaCheck(CaseMachine machine, RecordedMemory memory, RegisterCheck registers, Report report) {
    this.machine = machine;
    this.registers = registers;
    this.report = report;
    this.updates = new UpdateCheck(machine, memory);
    this.data = new DataCheck(machine, memory);
  }

  /** Makes one request within a page, as the device of the transfer. */
  Result request(Transfer transfer, int offset, int length) {
    DmaRequester requester = machine.requester(transfer.device());
    long iova = transfer.iova() + offset;
    long suppressed = machine.unit().counters().faultsSuppressed();
    byte[] bytes = transfer.write() ? transfer.data().part(offset, length) : new byte[length];
    DmaOutcome done =
        transfer.write()
            ? machine.rootComplex.write(requester, iova, bytes)
            : machine.rootComplex.read(requester, iova, bytes);
    DmaSegment.End end = machine.instruments().end(done.segments().getFirst().end());
    boolean silent = machine.unit().counters().faultsSuppressed() != suppressed;
    Outcome outcome = Outcome.of(end, silent);
    if (end instanceof DmaSegment.Faulted faulted && !silent) {
      registers.blocked(record(requester.sourceId(), iova, transfer.write(), faulted));
    }
    return new Result(outcome, end, new Bytes(bytes));
  }

  private FaultRecord record(
      SourceId requester, long iova, boolean write, DmaSegment.Faulted faulted) {
    int width = machine.unit().capabilities().maximumGuestAddressWidth();
    return FaultRecord.dma(
        requester,
        iova & ((1L << width) - 1),
        write ? DmaAccess.WRITE : DmaAccess.READ,
        faulted.reason());
  }

  /** Performs a whole DMA; the first segment that is wrong decides. */
  Optional<Mismatch> check(Step.Dma dma, String id) {
    Transfer transfer = dma.transfer();
    Optional<Mismatch> wrong = Optional.empty();
    List<Result> results = new ArrayList<>();
    updates.begin(dma);
    int offset = 0;
    do {
      int length = Math.min(transfer.length() - offset, PAGE - pageOffset(transfer, offset));
      int index = results.size();
      if (index == dma.segments().size()) {
        throw new UnreadableRecording("fewer \"segs\" than the request has pages");
      }
      Segment segment = dma.segments().get(index);
      data.before(segment, length);
      Result result = request(transfer, offset, length);
      results.add(result);
      reported(transfer, segment);
      if (wrong.isEmpty()) {
        String place = "segment " + index;
        wrong = judge(transfer, segment, result, offset, id + " " + place).map(m -> m.at(place));
      }
      offset += length;
    } while (offset < transfer.length());
    return wrong.or(() -> updates.finish(dma, results));
  }

  private void reported(Transfer transfer, Segment segment) {
    if (segment.reported().isPresent()) {
      SourceId requester = machine.requester(transfer.device()).sourceId();
      registers.reported(segment.reported().get(), older(requester).requestPasid());
    }
  }

  private OlderScalableMode older(SourceId requester) {
    return new OlderScalableMode(machine, requester);
  }

  private static int pageOffset(Transfer transfer, int offset) {
    return (int) (transfer.iova() + offset & (PAGE - 1));
  }

  private Optional<Mismatch> judge(
      Transfer transfer, Segment segment, Result result, int offset, String where) {
    return switch (segment.exemption()) {
      case BUS_MASTER_OFF, INTERRUPT_RANGE -> notTranslated(segment, result);
      case UNOBSERVABLE -> {
        report.skip(where, segment.unobservable());
        registers.diverge("an unobservable request");
        data.lose(transfer, result);
        yield Optional.empty();
      }
      case NONE -> compare(transfer, segment, result, offset);
    };
  }

  private Optional<Mismatch> notTranslated(Segment segment, Result result) {
    if (segment.exemption() == Segment.Exemption.INTERRUPT_RANGE
        && result.end() instanceof DmaSegment.Unsupported) {
      report.freedom(Freedom.INTERRUPT_RANGE_INPUT);
    }
    return result.outcome() instanceof Outcome.NotTranslated
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
    if (segment.observed().filter(result.outcome()::equals).isEmpty()) {
      registers.diverge(segment.deviation().orElse("another allowed outcome"));
    }
    return suppressed(segment, result)
        .or(() -> observedIsAllowed(segment))
        .or(() -> data.check(transfer, segment, result, offset));
  }

  /** What software is not told must have happened for the right reason, too. */
  private Optional<Mismatch> suppressed(Segment segment, Result result) {
    return result.outcome() instanceof Outcome.Suppressed
            && result.end() instanceof DmaSegment.Faulted faulted
        ? segment
            .suppressedReason()
            .filter(due -> !isReason(due, faulted.reason().code()))
            .map(
                due ->
                    new Mismatch("suppressed reason", Hex.of(due), Hex.of(faulted.reason().code())))
        : Optional.empty();
  }

  /** Whether it is the reason of the walk, or one that recordings allow in its place. */
  private boolean isReason(int due, int got) {
    boolean permissionFirst =
        RESERVED.contains(new Outcome.Faulted(due)) && PERMISSIONS.contains(got);
    if (permissionFirst) {
      report.freedom(Freedom.PERMISSION_FIRST);
    }
    return permissionFirst || due == got || BEYOND_WIDTH.containsAll(List.of(due, got));
  }

  /** Whether an outcome is one of those listed, or one that a deviation leaves open. */
  private boolean isAllowed(Transfer transfer, Segment segment, Outcome got) {
    if (segment.allowed().contains(got)) {
      return true;
    }
    SourceId requester = machine.requester(transfer.device()).sourceId();
    Optional<Freedom> freedom =
        segment.allowed().isEmpty()
            ? older(requester).of(segment, got)
            : Optional.of(Freedom.PERMISSION_FIRST)
                .filter(each -> segment.deviation().filter(each.effect()::equals).isPresent())
                .filter(_ -> segment.observed().filter(got::equals).isPresent())
                .filter(_ -> segment.allowed().stream().anyMatch(RESERVED::contains));
    freedom.ifPresent(report::freedom);
    return freedom.isPresent()
        || (segment.allowed().isEmpty() && segment.observed().filter(got::equals).isPresent());
  }

  /** What was observed and is not allowed needs a deviation that can have made it so. */
  private static Optional<Mismatch> observedIsAllowed(Segment segment) {
    if (segment.allowed().isEmpty() || segment.observed().isEmpty()) {
      return Optional.empty();
    }
    Outcome observed = segment.observed().get();
    boolean explained =
        segment.allowed().contains(observed)
            || segment.deviation().filter(name -> Deviation.explains(name, observed)).isPresent();
    return explained
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                "recording beside " + segment.deviation().orElse("every deviation"),
                segment.allowed().toString(),
                observed.toString()));
  }
}
