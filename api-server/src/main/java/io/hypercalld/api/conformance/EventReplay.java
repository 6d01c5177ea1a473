package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.conformance.Capture.Snapshot;
import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.unit.QueueState;
import io.hypercalld.iommu.unit.RegisterReading;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The trace of a capture, done again as the driver did it: its register writes, the descriptors
 * that the queue then fetched, the interrupts that devices sent. Confined to one thread.
 *
 * <p>A trace has no memory writes. A descriptor, and an interrupt entry, is put to where hardware
 * will look for it just before it does; page tables are known at the snapshots only.
 */
final class EventReplay implements AutoCloseable {
  private static final int DESCRIPTOR_WORDS = 2;
  private static final int RECORDED_WINDOW = 0x230;

  /** Makes a unit forget every PASID-table entry. */
  private static final InvalidationDescriptor ALL_PASIDS = new InvalidationDescriptor(0x37, 0);

  private final CaseMachine machine;
  private final Report report;
  private final List<JsonNode> events;
  private final Map<Long, List<Snapshot>> snapshots;
  private int next;
  private long unreplayed;
  private long untraced;

  private EventReplay(Capture capture, List<Snapshot> all, Report report) {
    this.machine = CaptureRun.machine(all.getFirst());
    this.report = report;
    this.events = new ArrayList<>();
    this.snapshots = new HashMap<>();
    capture.events(events::add);
    for (Snapshot each : all) {
      capture
          .eventsBefore(each.label())
          .ifPresent(count -> snapshots.computeIfAbsent(count, _ -> new ArrayList<>()).add(each));
    }
  }

  /** Replays a capture's trace and reports it as one case. */
  static void run(Capture capture, List<Snapshot> snapshots, Report report) {
    try (EventReplay replay = new EventReplay(capture, snapshots, report)) {
      String id = capture.name() + " events";
      replay.run().ifPresentOrElse(wrong -> report.fail(id, wrong), report::pass);
      replay.account(id);
    }
  }

  private Optional<Mismatch> run() {
    while (next < events.size()) {
      int at = next++;
      Optional<Mismatch> wrong = event(events.get(at)).or(() -> registersAt(next));
      if (wrong.isPresent()) {
        return wrong.map(mismatch -> mismatch.at("event " + at));
      }
    }
    return Optional.empty();
  }

  private void account(String id) {
    report.note("%s: %d replayed".formatted(id, events.size() - unreplayed));
    if (unreplayed > 0) {
      report.skip(
          id,
          unreplayed + " cache fills and translations: the trace lacks the tables of their time");
    }
    if (untraced > 0) {
      report.skip(id, untraced + " descriptors of PASID caches: the trace lacks them");
    }
    snapshots.keySet().stream()
        .filter(count -> count > events.size())
        .sorted()
        .forEach(
            count ->
                report.skip(
                    id,
                    "registers after event %d: the trace ends at %d"
                        .formatted(count, events.size())));
  }

  private Optional<Mismatch> event(JsonNode event) {
    return switch (event.path(0).asText()) {
      case "w" -> write((int) number(event, 1), (int) number(event, 2), number(event, 3));
      case "msi" -> message(number(event, 1), (int) number(event, 2));
      case "ir_enable" -> status(GlobalCommand.IRE, number(event, 1));
      case "dmar_enable" -> status(GlobalCommand.TE, number(event, 1));
      case "inv" -> Optional.of(new Mismatch("descriptor", "behind a tail write", "none before"));
      default -> {
        unreplayed++;
        yield Optional.empty();
      }
    };
  }

  private static long number(JsonNode event, int index) {
    if (!event.has(index)) {
      throw new UnreadableRecording("an event with fewer arguments than its kind has: " + event);
    }
    return Members.number(event.get(index));
  }

  private Optional<Mismatch> status(BitField bit, long due) {
    boolean on = bit.isSet(machine.unit.read32(Register.GSTS.offset()));
    return on == (due != 0)
        ? Optional.empty()
        : Optional.of(new Mismatch("GSTS." + bit.name(), Hex.of(due), String.valueOf(on)));
  }

  private Optional<Mismatch> write(int offset, int bytes, long value) {
    boolean queued = offset == Register.IQT.offset() && machine.unit.queue().enabled();
    List<CorpusCase.Word> waits = queued ? publish(value) : List.of();
    if (bytes == Long.BYTES) {
      machine.unit.write64(offset, value);
    } else {
      machine.unit.write32(offset, (int) value);
    }
    return queued ? carriedOut(value, waits) : accepted(offset, bytes, value);
  }

  /** Puts the descriptors that the queue fetched next into the ring; answers what waits write. */
  private List<CorpusCase.Word> publish(long tail) {
    QueueState queue = machine.unit.queue();
    long size = queue.mode().descriptorBytes();
    long ring = queue.size() * size;
    long head = queue.head() * size;
    List<CorpusCase.Word> waits = new ArrayList<>();
    for (InvalidationDescriptor each : descriptors(Math.floorMod(tail - head, ring) / size)) {
      put(queue.base() + head, size, each);
      head = (head + size) % ring;
      if (each.decode(queue.mode()) instanceof Invalidation.Wait wait && wait.writesStatus()) {
        waits.add(
            new CorpusCase.Word(wait.statusAddress(), Integer.toUnsignedLong(wait.statusData())));
      }
    }
    return waits;
  }

  private void put(long address, long size, InvalidationDescriptor descriptor) {
    for (long word = 0; word < size; word += Long.BYTES) {
      machine.store(new CorpusCase.Word(address + word, 0));
    }
    machine.store(new CorpusCase.Word(address, descriptor.lo()));
    machine.store(new CorpusCase.Word(address + Long.BYTES, descriptor.hi()));
  }

  /**
   * The descriptors that the trace has behind a tail write. It lacks those of PASIDs, which drivers
   * put before the wait for them.
   */
  private List<InvalidationDescriptor> descriptors(long count) {
    List<InvalidationDescriptor> traced = new ArrayList<>();
    while (traced.size() < count
        && next < events.size()
        && events.get(next).path(0).asText().equals("inv")) {
      JsonNode event = events.get(next++);
      traced.add(new InvalidationDescriptor(number(event, 1), number(event, 2)));
    }
    untraced += count - traced.size();
    while (traced.size() < count) {
      traced.addFirst(ALL_PASIDS);
    }
    return traced;
  }

  private Optional<Mismatch> carriedOut(long tail, List<CorpusCase.Word> waits) {
    long head = machine.unit.read64(Register.IQH.offset());
    if (head != tail) {
      return Optional.of(
          new Mismatch("IQH", Hex.of(tail), Hex.of(head) + " " + machine.unit.queue().error()));
    }
    for (CorpusCase.Word wait : waits) {
      long got = Integer.toUnsignedLong(machine.memory.readInt(wait.address()));
      if (got != wait.value()) {
        return Optional.of(
            new Mismatch("wait at " + Hex.of(wait.address()), Hex.of(wait.value()), Hex.of(got)));
      }
    }
    return Optional.empty();
  }

  /** Whether the register file took a write as the driver meant it. */
  private Optional<Mismatch> accepted(int offset, int bytes, long value) {
    if (offset == Register.GCMD.offset()) {
      long got = Integer.toUnsignedLong(machine.unit.read32(Register.GSTS.offset()));
      return agrees("GSTS after GCMD", value & ~GlobalCommand.WBF.mask(), got & value);
    }
    if (offset == Register.CCMD.offset()) {
      long got = machine.unit.read64(offset);
      return agrees("CCMD.ICC", 0, ContextCommand.ICC.get(got))
          .or(() -> granular("CCMD.CAIG", ContextCommand.CAIG.get(got)));
    }
    if (offset == machine.unit.capabilities().iotlbOffset()) {
      long got = machine.unit.read64(offset);
      return agrees("IOTLB.IVT", 0, IotlbCommand.IVT.get(got))
          .or(() -> granular("IOTLB.IAIG", IotlbCommand.IAIG.get(got)));
    }
    if (offset == Register.FSTS.offset()) {
      long errors = FaultStatus.PFO.mask() | FaultStatus.IQE.mask();
      return agrees("FSTS", 0, machine.unit.read32(offset) & value & errors);
    }
    boolean writeOnly = offset == machine.unit.capabilities().invalidateAddressOffset();
    long got =
        bytes == Long.BYTES
            ? machine.unit.read64(offset)
            : Integer.toUnsignedLong(machine.unit.read32(offset));
    return writeOnly ? Optional.empty() : agrees("register " + Hex.of(offset), value, got);
  }

  private static Optional<Mismatch> agrees(String name, long due, long got) {
    return due == got
        ? Optional.empty()
        : Optional.of(new Mismatch(name, Hex.of(due), Hex.of(got)));
  }

  private static Optional<Mismatch> granular(String name, long got) {
    return got != 0
        ? Optional.empty()
        : Optional.of(new Mismatch(name, "an invalidation", "a refusal"));
  }

  /** A device's message; the trace says which entry was read and what came of it. */
  private Optional<Mismatch> message(long address, int data) {
    if (next == events.size()) {
      return Optional.empty();
    }
    JsonNode entry = events.get(next);
    if (!entry.path(0).asText().equals("irte")) {
      return delivered(
          machine.rootComplex.interrupt(machine.wired(0), address, data), Optional.empty());
    }
    next++;
    long table = InterruptTableAddress.IRTA.inPlace(machine.unit.read64(Register.IRTA.offset()));
    long at = table + number(entry, 1) * DESCRIPTOR_WORDS * Long.BYTES;
    machine.store(new CorpusCase.Word(at, number(entry, 3)));
    machine.store(new CorpusCase.Word(at + Long.BYTES, number(entry, 2)));
    InterruptOutcome outcome =
        machine.rootComplex.interrupt(
            machine.wired((int) (number(entry, 2) & 0xffff)), address, data);
    JsonNode result = next < events.size() ? events.get(next) : entry;
    if (!result.path(0).asText().equals("irq")) {
      return Optional.empty();
    }
    next++;
    return delivered(outcome, Optional.of(result));
  }

  private Optional<Mismatch> delivered(InterruptOutcome outcome, Optional<JsonNode> result) {
    if (!(outcome instanceof InterruptOutcome.Delivered(var message, var index))) {
      return Optional.of(new Mismatch("interrupt", "delivered", outcome.toString()));
    }
    List<Long> got =
        List.of(
            (long) index.orElse(-1),
            message.levelTriggered() ? 1L : 0,
            (long) message.vector(),
            (long) message.mode().encoding(),
            Integer.toUnsignedLong(message.destination()),
            message.logical() ? 1L : 0);
    return result
        .map(row -> IntStream.rangeClosed(1, got.size()).mapToObj(at -> number(row, at)).toList())
        .filter(due -> !due.equals(got))
        .map(due -> new Mismatch("interrupt", due.toString(), got.toString()));
  }

  /** The registers of a snapshot that was taken after this many events. */
  private Optional<Mismatch> registersAt(long count) {
    return snapshots.getOrDefault(count, List.of()).stream()
        .flatMap(each -> registers(each).stream())
        .findFirst();
  }

  private Optional<Mismatch> registers(Snapshot snapshot) {
    RegisterCheck check = new RegisterCheck(machine, new RecordedMemory(machine), report);
    Map<Integer, Long> words = snapshot.words();
    for (RegisterReading reading : machine.unit.registers()) {
      for (int word = reading.offset();
          word < Math.min(reading.offset() + reading.bytes(), RECORDED_WINDOW);
          word += Integer.BYTES) {
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
    machine.close();
  }
}
