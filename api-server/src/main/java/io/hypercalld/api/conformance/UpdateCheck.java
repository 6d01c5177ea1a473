package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Change;
import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Word;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.InterruptRange;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Holds the table entries to what a DMA may and must do to them: set accessed and dirty bits; those
 * of this machine, and those that the recording says the recorded machine has set. Confined to the
 * thread that runs the case.
 *
 * <p>A translation that is remembered need not mark its entries as accessed again, and not as dirty
 * either where it has done so before and software took the bit back without an invalidation.
 */
final class UpdateCheck {
  private static final long ACCESSED = FirstLevelEntry.A.mask();
  private static final long INTERRUPT_RANGE = 0xfee0_0000L;
  private static final long DIRTY = FirstLevelEntry.D.mask();

  private final CaseMachine machine;
  private final RecordedMemory memory;
  private final FirstStagePaths paths;

  /** Words that software wrote, as they were before the DMA, here and on the recorded machine. */
  private final Map<Long, Long> ours = new HashMap<>();

  private final Map<Long, Long> theirs = new HashMap<>();

  /** Entries that were dirty before some earlier DMA: what is remembered of them may be, too. */
  private final Set<Long> onceDirty = new HashSet<>();

  UpdateCheck(CaseMachine machine, RecordedMemory memory) {
    this.machine = machine;
    this.memory = memory;
    this.paths = new FirstStagePaths(machine);
  }

  /** To be called before a DMA. */
  void begin(Step.Dma dma) {
    ours.clear();
    theirs.clear();
    if (!dma.updates().checked()) {
      return;
    }
    for (long address : machine.edited()) {
      ours.put(address, machine.word(address));
      theirs.put(address, memory.word(address));
      noteDirty(address);
    }
    dma.segments()
        .forEach(
            segment ->
                paths.follow(
                    machine.requester(dma.transfer().device()).sourceId(), segment.iova()));
  }

  private void noteDirty(long address) {
    if ((machine.word(address) & DIRTY) != 0) {
      onceDirty.add(address);
    }
  }

  /** To be called after it, with what became of each of its segments. */
  Optional<Mismatch> finish(Step.Dma dma, List<DmaCheck.Result> results) {
    if (!dma.updates().checked()) {
      return Optional.empty();
    }
    Set<Long> data = dma.transfer().write() ? written(dma, results) : Set.of();
    boolean passed =
        results.stream().anyMatch(result -> result.outcome() instanceof Outcome.Passed);
    Optional<Mismatch> wrong =
        missing(dma, results, data)
            .or(() -> unasked(data, passed && dma.transfer().write()))
            .or(() -> recorded(dma, data));
    machine.edited().forEach(this::noteDirty);
    return wrong;
  }

  /** The words that the DMA itself has written, on either machine. */
  private static Set<Long> written(Step.Dma dma, List<DmaCheck.Result> results) {
    Set<Long> words = new HashSet<>();
    for (int index = 0; index < results.size(); index++) {
      int length = results.get(index).bytes().length();
      addWords(words, Optional.of(results.get(index).outcome()), length);
      addWords(words, dma.segments().get(index).observed(), length);
    }
    return words;
  }

  private static void addWords(Set<Long> words, Optional<Outcome> outcome, int length) {
    if (outcome.isPresent() && outcome.get() instanceof Outcome.Passed(long maddr)) {
      for (long word = maddr & -Long.BYTES; word < maddr + length; word += Long.BYTES) {
        words.add(word);
      }
    }
  }

  /** What a walk of the tables as they are must set. */
  private Optional<Mismatch> missing(Step.Dma dma, List<DmaCheck.Result> results, Set<Long> data) {
    for (int index = 0; index < results.size(); index++) {
      DmaCheck.Result result = results.get(index);
      Segment segment = dma.segments().get(index);
      if (segment.walked().filter(result.outcome()::equals).isPresent()) {
        boolean hit = result.end() instanceof DmaSegment.Moved moved && moved.iotlbHit();
        for (Word update : segment.updates()) {
          long now = machine.word(update.address());
          boolean marked = (absent(update, now) & ~pardoned(update.address(), hit)) == 0;
          boolean same = data.contains(update.address()) || isSameEntry(update.value(), now);
          if (!marked || !same) {
            return mismatch("entry", update.address(), update.value(), now);
          }
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isSameEntry(long one, long other) {
    return ((one ^ other) & ~(ACCESSED | DIRTY)) == 0;
  }

  private static long absent(Word update, long now) {
    return update.value() & (ACCESSED | DIRTY) & ~now;
  }

  private long pardoned(long address, boolean hit) {
    return hit ? ACCESSED | (onceDirty.contains(address) ? DIRTY : 0) : 0;
  }

  /** Nothing but marks may change, and only those of entries on the way of this case's walks. */
  private Optional<Mismatch> unasked(Set<Long> data, boolean mayDirty) {
    for (Map.Entry<Long, Long> each : ours.entrySet()) {
      long address = each.getKey();
      long now = machine.word(address);
      if (!data.contains(address) && !isMarked(address, each.getValue(), now, mayDirty)) {
        return mismatch("entry", address, each.getValue(), now);
      }
    }
    return Optional.empty();
  }

  private boolean isMarked(long address, long before, long now, boolean mayDirty) {
    long allowed =
        (paths.isEntry(address) ? ACCESSED : 0) | (mayDirty && paths.isLeaf(address) ? DIRTY : 0);
    return (before & ~now) == 0 && (now & ~before & ~allowed) == 0;
  }

  /** The recorded machine's entries become what the recording says, if it may say so. */
  private Optional<Mismatch> recorded(Step.Dma dma, Set<Long> data) {
    Map<Long, Long> after = new HashMap<>(theirs);
    Optional<Mismatch> wrong = Optional.empty();
    for (Change change : dma.updates().made()) {
      long before = theirs.getOrDefault(change.address(), memory.word(change.address()));
      after.put(change.address(), change.after());
      wrong = wrong.or(() -> made(dma, change, before));
    }
    wrong = wrong.or(() -> unmade(dma, after, data));
    after.forEach(
        (address, word) -> {
          if (!data.contains(address)) {
            memory.has(address, Bytes.of(word));
          }
        });
    return wrong;
  }

  private Optional<Mismatch> made(Step.Dma dma, Change change, long before) {
    boolean passed =
        dma.segments().stream()
            .anyMatch(each -> each.observed().orElse(null) instanceof Outcome.Passed);
    boolean mayDirty = (passed && dma.transfer().write()) || leadsIntoInterruptRange(before);
    boolean right =
        change.before() == before
            && (dma.updates().deviation().isPresent()
                || isMarked(change.address(), before, change.after(), mayDirty));
    return right
        ? Optional.empty()
        : mismatch("mem_changes", change.address(), before, change.after());
  }

  /** F2: a leaf that leads into the interrupt range is marked although the request is blocked. */
  private static boolean leadsIntoInterruptRange(long entry) {
    long page = FirstLevelEntry.target(entry);
    boolean gigabyte =
        FirstLevelEntry.PS.isSet(entry) && page == (INTERRUPT_RANGE & -PageSize.SIZE_1G.bytes());
    return gigabyte || InterruptRange.contains(page);
  }

  /** Where a recording says that its marks are right, they are all there. */
  private static Optional<Mismatch> unmade(Step.Dma dma, Map<Long, Long> after, Set<Long> data) {
    if (dma.updates().deviation().isPresent()) {
      return Optional.empty();
    }
    return dma.segments().stream()
        .filter(each -> !each.cached() && each.walked().equals(each.observed()))
        .flatMap(segment -> segment.updates().stream())
        .filter(update -> !data.contains(update.address()) && !isMade(update, after))
        .findFirst()
        .flatMap(update -> mismatch("mem_changes", update.address(), update.value(), 0));
  }

  private static boolean isMade(Word update, Map<Long, Long> after) {
    long word = after.getOrDefault(update.address(), update.value());
    return absent(update, word) == 0 && isSameEntry(update.value(), word);
  }

  private static Optional<Mismatch> mismatch(String what, long address, long due, long got) {
    return Optional.of(new Mismatch(what + " at " + Hex.of(address), Hex.of(due), Hex.of(got)));
  }
}
