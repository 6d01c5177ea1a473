package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The messages of devices: the trace says which entry was read and what came of it. Confined to one
 * thread.
 */
final class InterruptReplay {
  private final CaptureHost host;
  private final EventTrace trace;
  private long messages;

  InterruptReplay(CaptureHost host, EventTrace trace) {
    this.host = host;
    this.trace = trace;
  }

  long messages() {
    return messages;
  }

  /** Sends one; the entry is put to where hardware looks for it. */
  Optional<Mismatch> send(long address, int data) {
    if (trace.isOver()) {
      // What came of the last message is behind the end of the trace.
      return Optional.empty();
    }
    messages++;
    if (!trace.nextIs("irte")) {
      InterruptMessage unchanged = InterruptMessage.written(address, data);
      return delivered(host.interrupt(0, address, data), fields(-1, unchanged));
    }
    JsonNode entry = trace.take();
    long lo = EventTrace.number(entry, 3);
    long hi = EventTrace.number(entry, 2);
    long table = InterruptTableAddress.IRTA.inPlace(host.window().read64(Register.IRTA.offset()));
    long at = table + EventTrace.number(entry, 1) * InterruptEntry.BYTES;
    host.store(new CorpusCase.Word(at, lo));
    host.store(new CorpusCase.Word(at + Long.BYTES, hi));
    InterruptOutcome outcome = host.interrupt(new InterruptEntry(lo, hi).sourceId(), address, data);
    return trace.nextIs("irq") ? delivered(outcome, row(trace.take())) : blocked(outcome);
  }

  private Optional<Mismatch> blocked(InterruptOutcome outcome) {
    return trace.isOver() || outcome instanceof InterruptOutcome.Blocked
        ? Optional.empty()
        : Optional.of(new Mismatch("interrupt", "blocked", outcome.toString()));
  }

  private static List<Long> row(JsonNode result) {
    return IntStream.rangeClosed(1, 6).mapToObj(at -> EventTrace.number(result, at)).toList();
  }

  private static List<Long> fields(int index, InterruptMessage message) {
    return List.of(
        (long) index,
        message.levelTriggered() ? 1L : 0,
        (long) message.vector(),
        (long) message.mode(),
        Integer.toUnsignedLong(message.destination()),
        message.logical() ? 1L : 0);
  }

  private static Optional<Mismatch> delivered(InterruptOutcome outcome, List<Long> due) {
    if (!(outcome instanceof InterruptOutcome.Delivered(var message, var index))) {
      return Optional.of(new Mismatch("interrupt", "delivered " + due, outcome.toString()));
    }
    List<Long> got = fields(index.orElse(-1), message);
    return due.equals(got)
        ? Optional.empty()
        : Optional.of(new Mismatch("interrupt", due.toString(), got.toString()));
  }
}
