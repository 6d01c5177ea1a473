package io.hypercalld.api.conformance;

import static io.hypercalld.api.conformance.EventTrace.number;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.conformance.Capture.Snapshot;
import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.unit.RegisterReading;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The trace of a capture, done again as the driver and its devices did it: register writes, the
 * descriptors that the queue then fetched, interrupts, translations. Confined to one thread.
 *
 * <p>A trace has no memory writes. A descriptor, an interrupt entry and a leaf are put to where
 * hardware will look for them just before it does.
 */
final class EventReplay implements AutoCloseable {
  private static final int RECORDED_WINDOW = 0x230;

  private final CaptureHost host;
  private final Report report;
  private final EventTrace trace;
  private final Foresight foresight;
  private final RegisterReplay registers;
  private final InterruptReplay interrupts;
  private final TranslationReplay translations;
  private final Map<Long, List<Snapshot>> snapshots = new TreeMap<>();
  private final Map<String, Long> unknown = new TreeMap<>();
  private long compared;

  private EventReplay(Capture capture, List<Snapshot> all, CaptureHost host, Report report) {
    this.host = host;
    this.report = report;
    List<JsonNode> events = new ArrayList<>();
    capture.events(events::add);
    this.trace = new EventTrace(events);
    this.foresight = new Foresight(events, all.getFirst().queueMode());
    this.registers = new RegisterReplay(host, trace);
    this.interrupts = new InterruptReplay(host, trace);
    this.translations = new TranslationReplay(host, all);
    for (Snapshot each : all) {
      capture
          .eventsBefore(each.label())
          .ifPresent(count -> snapshots.computeIfAbsent(count, _ -> new ArrayList<>()).add(each));
    }
  }

  /** Replays a capture's trace and reports it as one case. */
  static void run(Capture capture, List<Snapshot> snapshots, CaptureHost host, Report report) {
    try (EventReplay replay = new EventReplay(capture, snapshots, host, report)) {
      String id = capture.name() + " events";
      replay.run().ifPresentOrElse(wrong -> report.fail(id, wrong), report::pass);
      replay.account(id);
    }
  }

  private Optional<Mismatch> run() {
    while (!trace.isOver()) {
      int at = trace.position();
      Optional<Mismatch> wrong =
          foresee(at).or(() -> event(trace.take())).or(() -> registersAt(trace.position()));
      if (wrong.isPresent()) {
        return wrong.map(mismatch -> mismatch.at("event " + at));
      }
    }
    return Optional.empty();
  }

  /** The driver stores first, and commands then. */
  private Optional<Mismatch> foresee(int at) {
    Optional<Mismatch> wrong = Optional.empty();
    for (int read : foresight.before(at)) {
      Optional<Mismatch> found = memory(read);
      wrong = wrong.or(() -> found);
    }
    return wrong;
  }

  /** Puts to memory what hardware reads there. */
  private Optional<Mismatch> memory(int read) {
    JsonNode event = trace.at(read);
    if (EventTrace.kind(event).equals("cc")) {
      translations.context((int) number(event, 1), number(event, 3), number(event, 2));
      return Optional.empty();
    }
    // The page size of a leaf is in the translation that it was read for.
    return trace.is(read + 1, "x")
        ? translations.fill(TranslationReplay.Leaf.of(event, number(trace.at(read + 1), 4)))
        : Optional.empty();
  }

  private void account(String id) {
    report.note(
        "%s: %d register writes, %d descriptors, %d interrupts, %d translations, %d words of registers"
                .formatted(
                    id,
                    registers.writes(),
                    registers.descriptors(),
                    interrupts.messages(),
                    translations.translated(),
                    compared)
            + host.remarks());
    skip(id, registers.untraced(), "descriptors of PASID caches: the trace lacks them");
    skip(id, translations.unknown(), "requests: the trace lacks the tables that decided them");
    unknown.forEach((kind, count) -> skip(id, count, "events \"" + kind + "\": unknown"));
    snapshots.keySet().stream()
        .filter(count -> count > trace.position())
        .forEach(
            count ->
                report.skip(
                    id,
                    "registers after event %d: the trace ends at %d"
                        .formatted(count, trace.position())));
  }

  private void skip(String id, long count, String what) {
    if (count > 0) {
      report.skip(id, count + " " + what);
    }
  }

  private Optional<Mismatch> event(JsonNode event) {
    return switch (EventTrace.kind(event)) {
      case "w" -> registers.write((int) number(event, 1), (int) number(event, 2), number(event, 3));
      case "msi" -> interrupts.send(number(event, 1), (int) number(event, 2));
      case "ir_enable" -> status(GlobalCommand.IRE, number(event, 1));
      case "dmar_enable" -> status(GlobalCommand.TE, number(event, 1));
      case "inv" -> Optional.of(new Mismatch("descriptor", "behind a tail write", "none before"));
      case "cc", "fill" -> memory(trace.position() - 1);
      case "x" ->
          translations.translate((int) number(event, 1), number(event, 2), number(event, 3));
      case "pt" ->
          translations.translate((int) number(event, 1), number(event, 2), number(event, 2));
      case "fault" -> {
        translations.blocked();
        yield Optional.empty();
      }
      default -> {
        unknown.merge(EventTrace.kind(event), 1L, Long::sum);
        yield Optional.empty();
      }
    };
  }

  private Optional<Mismatch> status(BitField bit, long due) {
    boolean on = bit.isSet(host.window().read32(Register.GSTS.offset()));
    return on == (due != 0)
        ? Optional.empty()
        : Optional.of(new Mismatch("GSTS." + bit.name(), Hex.of(due), String.valueOf(on)));
  }

  /** The registers of a snapshot that was taken after this many events. */
  private Optional<Mismatch> registersAt(long count) {
    return snapshots.getOrDefault(count, List.of()).stream()
        .flatMap(each -> registers(each).stream())
        .findFirst();
  }

  private Optional<Mismatch> registers(Snapshot snapshot) {
    RegisterCheck check = new RegisterCheck(host, new RecordedMemory(host), report);
    Map<Integer, Long> words = new HashMap<>(snapshot.words());
    for (RegisterReading reading : host.unit().registers()) {
      for (int word = reading.offset();
          word < Math.min(reading.offset() + reading.bytes(), RECORDED_WINDOW);
          word += Integer.BYTES) {
        compared++;
        String name = snapshot.label() + " " + reading.name();
        Optional<Mismatch> wrong =
            check.compare(name, word, Integer.BYTES, words.getOrDefault(word, 0L));
        if (wrong.isPresent()) {
          return wrong;
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    host.close();
  }
}
