package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.conformance.Capture.Snapshot;
import io.hypercalld.api.conformance.CaptureHost.Request;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.ScalableContextEntry;
import io.hypercalld.iommu.vtd.ScalableRootEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The translations of a trace. It has the context entries and the leaves that the recorded unit
 * read, and none of the tables between: these are made up on the way, so that this unit comes by
 * the recorded entries where it walks. Confined to one thread.
 */
final class TranslationReplay {
  /** Where made up tables lie: a kernel's image is there on the recorded machines, no table. */
  private static final long SCRATCH = 0x100_0000L;

  private static final int BITS_OF_LEVEL = 9;
  private static final int BITS_OF_PAGE = 12;

  /** Where a requester's tables begin. */
  private record Tables(long root, int levels, boolean firstStage, int domainId) {}

  /**
   * A leaf that the recorded unit has read.
   *
   * @param mask bytes of its page, less one
   */
  record Leaf(int sourceId, long iova, long entry, int domainId, long mask) {
    static Leaf of(JsonNode fill, long mask) {
      return new Leaf(
          (int) EventTrace.number(fill, 1),
          EventTrace.number(fill, 2),
          EventTrace.number(fill, 3),
          (int) EventTrace.number(fill, 4),
          mask);
    }

    private int level() {
      return (Long.SIZE - Long.numberOfLeadingZeros(mask) - BITS_OF_PAGE) / BITS_OF_LEVEL + 1;
    }
  }

  private final CaptureHost host;
  private final Map<Integer, List<Long>> pasidEntries = new HashMap<>();
  private final Map<Integer, Tables> tables = new HashMap<>();

  /** Leaves of requesters whose context entry is not there yet, by requester and page. */
  private final Map<Integer, Map<Long, Leaf>> early = new HashMap<>();

  private long scratch = SCRATCH;
  private long translated;
  private long unknown;

  TranslationReplay(CaptureHost host, List<Snapshot> snapshots) {
    this.host = host;
    snapshots.forEach(
        snapshot ->
            snapshot.pasidEntries().forEach((sid, row) -> pasidEntries.putIfAbsent(sid, row)));
  }

  long translated() {
    return translated;
  }

  /** Requests of which the trace lacks what decided them: a context entry, or a wrong one. */
  long unknown() {
    return unknown;
  }

  private void store(long address, long word) {
    host.store(new CorpusCase.Word(address, word));
  }

  private long page() {
    scratch += PageSize.BYTES_4K;
    return scratch - PageSize.BYTES_4K;
  }

  /** The page that an entry leads to; one that leads nowhere gets one, with {@code flags}. */
  private long table(long entry, long flags) {
    if (host.word(entry) == 0) {
      store(entry, page() | flags);
    }
    return host.word(entry) & -PageSize.BYTES_4K;
  }

  /** Puts a requester's context entry, and the leaves behind it, to where they are read. */
  void context(int sourceId, long lo, long hi) {
    enter(sourceId, lo, hi);
    Tables known = tables.get(sourceId);
    if (known != null) {
      early.getOrDefault(sourceId, Map.of()).values().forEach(leaf -> put(leaf, known));
      early.remove(sourceId);
    }
  }

  private void enter(int sourceId, long lo, long hi) {
    SourceId requester = new SourceId(sourceId);
    long register = host.window().read64(Register.RTADDR.offset());
    long root = RootTableAddress.table(register);
    if (RootTableAddress.mode(register) == RootTableAddress.Mode.SCALABLE) {
      long contexts = table(root + ScalableRootEntry.offset(requester), 1);
      long at = contexts + ScalableContextEntry.offset(requester);
      store(at + Long.BYTES, hi);
      store(at, lo);
      pasid(sourceId, ScalableContextEntry.directory(lo));
    } else {
      long at = table(root + RootEntry.offset(requester), 1) + ContextEntry.offset(requester);
      store(at + Long.BYTES, hi);
      store(at, lo);
      ContextEntry entry = new ContextEntry(lo, hi);
      AddressWidth.of(entry.addressWidthEncoding())
          .ifPresent(
              width ->
                  tables.put(
                      sourceId,
                      new Tables(
                          ContextEntry.SLPTPTR.inPlace(lo),
                          width.levels(),
                          false,
                          entry.domainId())));
    }
  }

  /** The first entry of the PASID table is the one that a snapshot has. */
  private void pasid(int sourceId, long directory) {
    List<Long> words = pasidEntries.getOrDefault(sourceId, List.of());
    if (words.size() < PasidEntry.BYTES / Long.BYTES) {
      return;
    }
    long at = table(directory, 1);
    for (int index = 0; index < words.size(); index++) {
      store(at + (long) index * Long.BYTES, words.get(index));
    }
    PasidEntry entry = new PasidEntry(words.get(0), words.get(1), words.get(2), 0);
    boolean firstStage =
        entry.granularityEncoding() == PasidEntry.Granularity.FIRST_LEVEL.encoding();
    AddressWidth.of(entry.addressWidthEncoding())
        .ifPresent(
            width ->
                tables.put(
                    sourceId,
                    new Tables(
                        firstStage ? entry.firstLevelRoot() : entry.secondLevelRoot(),
                        firstStage ? AddressWidth.BITS_48.levels() : width.levels(),
                        firstStage,
                        entry.domainId())));
  }

  /** Puts a leaf to where the recorded unit reads it. */
  Optional<Mismatch> fill(Leaf leaf) {
    Tables known = tables.get(leaf.sourceId);
    if (known == null) {
      early.computeIfAbsent(leaf.sourceId, _ -> new TreeMap<>()).put(leaf.iova, leaf);
      return Optional.empty();
    }
    put(leaf, known);
    return leaf.domainId == known.domainId
        ? Optional.empty()
        : Optional.of(new Mismatch("domain-id", Hex.of(known.domainId), Hex.of(leaf.domainId)));
  }

  private void put(Leaf leaf, Tables known) {
    long at = known.root;
    for (int level = known.levels; level > leaf.level(); level--) {
      at = below(at + offset(leaf.iova, level), level, known.firstStage);
    }
    store(at + offset(leaf.iova, leaf.level()), leaf.entry);
  }

  private static long offset(long iova, int level) {
    int shift = BITS_OF_PAGE + BITS_OF_LEVEL * (level - 1);
    return (iova >>> shift & (1 << BITS_OF_LEVEL) - 1) * Long.BYTES;
  }

  private long below(long entry, int level, boolean firstStage) {
    long word = host.word(entry);
    boolean leaf =
        firstStage ? FirstLevelEntry.isLeaf(word, level) : SecondStageEntry.isLeaf(word, level);
    if (leaf) {
      store(entry, 0);
    }
    return table(entry, firstStage ? FirstLevelEntry.table(0) : SecondStageEntry.READ_WRITE);
  }

  /** A request that the recorded unit blocked, by entries that the trace does not show. */
  void blocked() {
    unknown++;
  }

  /** A request of the trace: this unit sends it to the same page. */
  Optional<Mismatch> translate(int sourceId, long iova, long gpa) {
    if (!tables.containsKey(sourceId)) {
      unknown++;
      return Optional.empty();
    }
    translated++;
    OptionalLong due = host.place(gpa);
    CaptureHost.Passage got = host.request(new Request(sourceId, iova, DmaAccess.READ), gpa);
    if (got.maddr().isEmpty()) {
      // A page that may only be written.
      got = host.request(new Request(sourceId, iova, DmaAccess.WRITE), gpa);
    }
    return got.maddr().equals(due)
        ? Optional.empty()
        : Optional.of(
            new Mismatch(
                "%s by %s".formatted(Hex.of(iova), Hex.of(sourceId)),
                "ok:" + Hex.of(gpa),
                got.words()));
  }
}
