package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Segment;
import io.hypercalld.api.conformance.CorpusCase.Step;
import io.hypercalld.api.conformance.CorpusCase.Word;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Holds the table entries to what a DMA may and must do to them: set accessed and dirty bits.
 * Confined to the thread that runs the case.
 *
 * <p>A translation that is remembered need not mark its entries as accessed again, and not as dirty
 * either where it has done so before and software took the bit back without an invalidation.
 */
final class UpdateCheck {
  private static final long ACCESSED = 1L << 5;
  private static final long DIRTY = 1L << 6;
  private static final long MARKS = ACCESSED | DIRTY;

  private final CaseMachine machine;

  /** Words that software wrote, as they were before the DMA. */
  private Map<Long, Long> before = Map.of();

  /** Marks that a walk of this case sets, on the recorded implementation or by the rules. */
  private final Map<Long, Long> permitted = new HashMap<>();

  /** Entries that were dirty before some earlier DMA: what is remembered of them may be, too. */
  private final Set<Long> onceDirty = new HashSet<>();

  UpdateCheck(CaseMachine machine) {
    this.machine = machine;
  }

  /** To be called before a DMA. */
  void begin() {
    Map<Long, Long> words = new HashMap<>();
    for (long address : machine.edited()) {
      words.put(address, machine.word(address));
      noteDirty(address);
    }
    before = words;
  }

  /** To be called after it, with what became of each of its segments. */
  Optional<Mismatch> finish(Step.Dma dma, List<DmaCheck.Result> results) {
    dma.updates().made().forEach(this::permit);
    Optional<Mismatch> missing = Optional.empty();
    boolean free = false;
    for (int index = 0; index < Math.min(dma.segments().size(), results.size()); index++) {
      Segment segment = dma.segments().get(index);
      DmaCheck.Result result = results.get(index);
      segment.updates().forEach(this::permit);
      boolean walked = segment.walked().filter(result.outcome()::equals).isPresent();
      free |= !walked || !(result.outcome() instanceof Outcome.Passed);
      for (Word update : segment.updates()) {
        missing = missing.or(() -> walked ? missing(update, result) : Optional.empty());
      }
    }
    Set<Long> overwritten = dma.transfer().write() ? overwritten(results) : Set.of();
    boolean anyMark = free;
    Optional<Mismatch> wrong = missing.or(() -> unasked(overwritten, anyMark));
    machine.edited().forEach(this::noteDirty);
    return wrong;
  }

  private void noteDirty(long address) {
    if ((machine.word(address) & DIRTY) != 0) {
      onceDirty.add(address);
    }
  }

  private void permit(Word update) {
    permitted.merge(update.address(), update.value() & MARKS, (one, other) -> one | other);
  }

  private Optional<Mismatch> missing(Word update, DmaCheck.Result result) {
    long now = machine.word(update.address());
    long absent = update.value() & MARKS & ~now;
    if (result.end() instanceof DmaSegment.Moved moved && moved.iotlbHit()) {
      absent &= ~ACCESSED;
      absent &= onceDirty.contains(update.address()) ? ~DIRTY : -1L;
    }
    return absent == 0 ? Optional.empty() : mismatch(update.address(), update.value(), now);
  }

  private static Set<Long> overwritten(List<DmaCheck.Result> results) {
    Set<Long> words = new HashSet<>();
    for (DmaCheck.Result result : results) {
      if (result.outcome() instanceof Outcome.Passed(long maddr)) {
        long end = maddr + result.bytes().length();
        for (long word = maddr & -Long.BYTES; word < end; word += Long.BYTES) {
          words.add(word);
        }
      }
    }
    return words;
  }

  /** Nothing but marks may change, and only those of entries on the way of this case's walks. */
  private Optional<Mismatch> unasked(Set<Long> overwritten, boolean anyMark) {
    for (Map.Entry<Long, Long> each : before.entrySet()) {
      long address = each.getKey();
      long changed = machine.word(address) ^ each.getValue();
      long allowed = permitted.getOrDefault(address, 0L) | (anyMark ? MARKS : 0);
      boolean cleared = (changed & each.getValue()) != 0;
      if ((cleared || (changed & ~allowed) != 0) && !overwritten.contains(address)) {
        return mismatch(address, each.getValue() | allowed, machine.word(address));
      }
    }
    return Optional.empty();
  }

  private static Optional<Mismatch> mismatch(long address, long due, long got) {
    return Optional.of(new Mismatch("entry at " + Hex.of(address), Hex.of(due), Hex.of(got)));
  }
}
