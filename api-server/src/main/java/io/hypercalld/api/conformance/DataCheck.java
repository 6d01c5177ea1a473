package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Transfer;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Holds the data of requests to the recording: where it went, and where it came from. Confined to
 * the thread that runs the case.
 */
final class DataCheck {
  private final CaseMachine machine;
  private final RecordedMemory memory;

  /** Where a request may land: the recorded machine's bytes from before it. */
  private final Map<Long, byte[]> before = new HashMap<>();

  DataCheck(CaseMachine machine, RecordedMemory memory) {
    this.machine = machine;
    this.memory = memory;
  }

  /** To be called before a request of {@code length} bytes. */
  void before(Segment segment, int length) {
    before.clear();
    List<Outcome> ways = new ArrayList<>(segment.allowed());
    segment.observed().ifPresent(ways::add);
    segment.walked().ifPresent(ways::add);
    for (Outcome way : ways) {
      if (way instanceof Outcome.Passed(long maddr)) {
        before.put(maddr, memory.read(maddr, length));
      }
    }
  }

  /** The recorded machine may have written where this one has, or elsewhere, or nowhere. */
  void lose(Transfer transfer, DmaCheck.Result result) {
    if (transfer.write()) {
      before.keySet().forEach(maddr -> memory.forget(maddr, result.bytes().length()));
      if (result.end() instanceof DmaSegment.Moved moved) {
        memory.forget(moved.maddr(), result.bytes().length());
      }
    }
  }

  /** Both machines' data of a request that has a legal outcome. */
  Optional<Mismatch> check(Transfer transfer, Segment segment, DmaCheck.Result result, int offset) {
    byte[] recorded = transfer.data().part(offset, result.bytes().length());
    Optional<Long> theirs =
        segment
            .observed()
            .filter(Outcome.Passed.class::isInstance)
            .map(outcome -> ((Outcome.Passed) outcome).maddr());
    return here(result)
        .or(
            () ->
                transfer.write()
                    ? written(segment, result, theirs, recorded)
                    : theirs.flatMap(maddr -> read(maddr, recorded)));
  }

  /** This machine's memory has what was written, and had what was read. */
  private Optional<Mismatch> here(DmaCheck.Result result) {
    if (!(result.end() instanceof DmaSegment.Moved moved)) {
      return Optional.empty();
    }
    byte[] there = machine.bytes(moved.maddr(), result.bytes().length());
    return result.bytes().equal(there)
        ? Optional.empty()
        : Optional.of(
            new Mismatch("memory", result.bytes().toString(), new Bytes(there).toString()));
  }

  private Optional<Mismatch> written(
      Segment segment, DmaCheck.Result result, Optional<Long> theirs, byte[] recorded) {
    if (result.end() instanceof DmaSegment.Moved moved && before.containsKey(moved.maddr())) {
      memory.has(moved.maddr(), before.getOrDefault(moved.maddr(), recorded));
    }
    theirs.ifPresent(maddr -> memory.has(maddr, recorded));
    boolean found =
        theirs.isEmpty()
            ? segment.landed().isEmpty()
            : segment.landed().isEmpty() || segment.landed().equals(List.of(theirs.get()));
    return found
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                "landed",
                theirs.map(Hex::of).orElse("nowhere"),
                segment.landed().stream().map(Hex::of).toList().toString()));
  }

  private Optional<Mismatch> read(long maddr, byte[] recorded) {
    Bytes due = new Bytes(memory.read(maddr, recorded.length));
    return due.equal(recorded) || !memory.isKnown(maddr, recorded.length)
        ? Optional.empty()
        : Optional.of(new Mismatch("data", new Bytes(recorded).toString(), due.toString()));
  }
}
