package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.QueueMode;
import io.hypercalld.iommu.vtd.RootTableAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A directory with what a real driver did to a unit: a trace of events, and snapshots of memory and
 * registers in between. Immutable; files are read as they are asked for.
 */
record Capture(Path directory) {
  private static final String STATE = ".state.json.gz";
  private static final byte[] FRAMES_MAGIC = "VTDF1\0\0\0".getBytes(StandardCharsets.ISO_8859_1);

  /**
   * A request that the recorded implementation translated, or a leaf of its tables.
   *
   * @param page bytes of the page at the time of the request, or of the leaf
   */
  record Translation(int sourceId, long iova, long maddr, long page, boolean read, boolean write) {}

  /** A present entry of the interrupt-remapping table. */
  record InterruptEntry(int index, long lo, long hi) {}

  /** Registers and tables at one instant. */
  record Snapshot(String label, Members state) {
    long cap() {
      return state.number("cap");
    }

    long ecap() {
      return state.number("ecap");
    }

    /** A register, zero where the snapshot does not name it. */
    long register(String name) {
      return state.optionalNumber(name).orElse(0L);
    }

    /** The 32-bit words of the window that are not zero, by offset. */
    Map<Integer, Long> words() {
      Map<Integer, Long> words = new TreeMap<>();
      state
          .child("regs")
          .ifPresent(
              regs ->
                  regs.numbers()
                      .forEach((offset, word) -> words.put((int) Hex.parse(offset), word)));
      return words;
    }

    List<InterruptEntry> interruptEntries() {
      return state.list(
          "irtes_present",
          row ->
              new InterruptEntry(
                  row.path(0).asInt(), Members.number(row.path(1)), Members.number(row.path(2))));
    }

    /** The words of each requester's PASID-table entry, by requester; none in legacy mode. */
    Map<Integer, List<Long>> pasidEntries() {
      Map<Integer, List<Long>> entries = new TreeMap<>();
      for (Members context : state.list("contexts", Members::new)) {
        if (context.has("pasid_entry")) {
          entries.put(context.sourceId("sid"), context.list("pasid_entry", Members::number));
        }
      }
      return entries;
    }

    /** Which descriptors its queue holds. */
    QueueMode queueMode() {
      return new QueueMode(
          new Capabilities(cap(), ecap()),
          InvalidationQueueFields.DW.isSet(register("iqa")),
          RootTableAddress.mode(register("rtaddr")) == RootTableAddress.Mode.SCALABLE);
    }

    /** Requesters that have a context entry. */
    List<Integer> requesters() {
      return state.list("contexts", context -> new Members(context).sourceId("sid"));
    }

    /** Requesters whose requests pass untranslated. */
    List<Integer> passedThrough() {
      return state.list("contexts", Members::new).stream()
          .filter(
              context ->
                  context.optionalNumber("tt").filter(type -> type == 2).isPresent()
                      || context.optionalNumber("pgtt").filter(type -> type == 4).isPresent())
          .map(context -> context.sourceId("sid"))
          .toList();
    }
  }

  static boolean isState(Path file) {
    return String.valueOf(file.getFileName()).endsWith(STATE);
  }

  String name() {
    return String.valueOf(directory.getFileName());
  }

  /** The snapshots in the order of their labels. */
  List<Snapshot> snapshots() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(Capture::isState).sorted().map(Capture::snapshot).toList();
    } catch (IOException e) {
      throw new UnreadableRecording(directory + ": cannot be read");
    }
  }

  private static Snapshot snapshot(Path file) {
    String name = String.valueOf(file.getFileName());
    return new Snapshot(
        name.substring(0, name.length() - STATE.length()), new Members(RecordedLines.value(file)));
  }

  /** How many events had happened when a snapshot was taken; empty where nobody noted it. */
  Optional<Long> eventsBefore(String label) {
    Path summary = directory.resolve("summary.json");
    if (!Files.exists(summary)) {
      return Optional.empty();
    }
    return new Members(RecordedLines.value(summary))
        .list("snapshots", Members::new).stream()
            .filter(each -> each.has("label") && each.text("label").equals(label))
            .findFirst()
            .flatMap(each -> each.optionalNumber("at_event"));
  }

  /** Hands every word of a snapshot's frames on that is not zero. */
  void frames(String label, Consumer<CorpusCase.Word> use) {
    Path file = directory.resolve(label + ".frames.gz");
    ByteBuffer bytes = ByteBuffer.wrap(RecordedLines.bytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      byte[] magic = new byte[FRAMES_MAGIC.length];
      bytes.get(magic);
      if (!java.util.Arrays.equals(magic, FRAMES_MAGIC)) {
        throw new UnreadableRecording(file + ": not a dump of frames");
      }
      for (int left = bytes.getInt(); left > 0; left--) {
        frame(bytes, use);
      }
    } catch (java.nio.BufferUnderflowException e) {
      throw new UnreadableRecording(file + ": ends within a frame");
    }
  }

  private static void frame(ByteBuffer bytes, Consumer<CorpusCase.Word> use) {
    long address = bytes.getLong();
    for (int left = bytes.getInt(); left > 0; left--) {
      int index = Short.toUnsignedInt(bytes.getShort());
      use.accept(
          new CorpusCase.Word(
              address + index % (PageSize.BYTES_4K / Long.BYTES) * (long) Long.BYTES,
              bytes.getLong()));
    }
  }

  /** Hands a snapshot's recorded translations on, then the leaves of its tables. */
  void translations(String label, Consumer<Translation> use) {
    lines(label + ".translations.jsonl.gz", line -> use.accept(translation(line)));
  }

  /** Hands the leaves of a snapshot's tables on. */
  void mappings(String label, Consumer<Translation> use) {
    lines(label + ".mappings.jsonl.gz", line -> use.accept(translation(line)));
  }

  private static Translation translation(JsonNode line) {
    Members row = new Members(line);
    return new Translation(
        row.sourceId("sid"),
        row.number("iova"),
        row.number("gpa"),
        row.number("page"),
        row.flag("r"),
        row.flag("w"));
  }

  /** Hands the events on, each an array of its kind and its arguments. */
  void events(Consumer<JsonNode> use) {
    lines("events.jsonl.gz", use);
  }

  private void lines(String name, Consumer<JsonNode> use) {
    Path file = directory.resolve(name);
    if (Files.exists(file)) {
      RecordedLines.forEach(
          file,
          why -> {
            throw why;
          },
          use);
    }
  }
}
