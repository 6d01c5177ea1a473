package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.DmaRun;
import io.hypercalld.iommu.driver.IoContext;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The shadow of one guest table: what it said when it was last read, composed with the P2M as it
 * is. Confined to the machine thread.
 *
 * <p>A page may be read where both permit it, and so for writing; leaves are as large as the
 * alignment of both sides allows. Where memory for a table runs out a hole is left, never a stale
 * mapping.
 */
final class ShadowSpace implements Digestible {
  /** The first frame beyond every address space. */
  static final long END = 1L << P2mTable.GFN_BITS;

  private final Optional<Translated> source;
  private final IoContext context;
  private final P2mTable p2m;
  private final GuestTables reader;
  private final CapturedTable captured = new CapturedTable();
  private final TreeSet<Long> tables = new TreeSet<>();
  private long shortages;

  /** Whether memory ran out since all of the guest's table was last read. */
  private boolean holes;

  /**
   * An empty shadow.
   *
   * @param source the guest's table; empty for the space of devices that the guest blocks
   */
  ShadowSpace(Optional<Translated> source, IoContext context, P2mTable p2m, GuestTables reader) {
    this.source = source;
    this.context = context;
    this.p2m = p2m;
    this.reader = reader;
  }

  Optional<Translated> source() {
    return source;
  }

  IoContext context() {
    return context;
  }

  /** What the guest's table said when it was last read. */
  CapturedTable captured() {
    return captured;
  }

  /** What the guest's table says now. */
  List<GuestRun> current(long from, long to) {
    return source.map(space -> reader.runs(space, from, to)).orElse(List.of());
  }

  /** How often memory ran out. */
  long shortages() {
    return shortages;
  }

  boolean hasDomainId(int domainId) {
    return source.filter(space -> space.domainId() == domainId).isPresent();
  }

  /**
   * Reads the guest's table again, from one frame to before another, and maps what it says
   * otherwise than before; answers how many entries it read.
   */
  long read(long from, long to) {
    long before = reader.entryReads();
    source.ifPresent(
        space -> {
          boolean again = holes;
          if (from == 0 && to == END) {
            tables.clear();
            holes = false;
          }
          Follower follower = new Follower(from, again);
          reader.read(space, from, to, follower);
          follower.skipTo(to);
        });
    return reader.entryReads() - before;
  }

  /** Compares what the guest's table says with what it said. */
  private final class Follower implements GuestTables.Listener {
    private final boolean everything;
    private long at;

    /**
     * @param everything whether to map what has not changed, too
     */
    Follower(long from, boolean everything) {
      this.at = from;
      this.everything = everything;
    }

    @Override
    public void table(long gfn) {
      tables.add(gfn);
    }

    @Override
    public void leaf(GuestRun run) {
      skipTo(run.dfn());
      if (everything || !captured.holds(run)) {
        captured.put(run);
        map(run);
      }
      at = run.end();
    }

    @Override
    public void leaves(long first, long[] words, int from, int to) {
      skipTo(first + from);
      if (everything || !captured.agrees(first, words, from, to)) {
        long[] before = captured.words(first);
        int page = from;
        while (page < to) {
          int end = alike(words, before, page, to);
          if (everything || words[page] != before[page]) {
            change(first + page, words[page], end - page);
          }
          page = end;
        }
        captured.set(first, words, from, to);
      }
      at = first + to;
    }

    /** The first page that does not go on as one does, or that has not changed as it has. */
    private int alike(long[] words, long[] before, int page, int to) {
      boolean changed = words[page] != before[page];
      long step = words[page] == PageWord.ABSENT ? 0 : PageWord.STEP;
      int end = page + 1;
      while (end < to
          && words[end] == words[end - 1] + step
          && (words[end] != before[end]) == changed) {
        end++;
      }
      return end;
    }

    private void change(long dfn, long word, long frames) {
      if (word == PageWord.ABSENT) {
        clear(dfn, dfn + frames);
      } else {
        map(PageWord.run(dfn, word, frames));
      }
    }

    /** What lies before a page and was not told of leads nowhere. */
    void skipTo(long dfn) {
      if (at < dfn && (captured.clear(at, dfn) || everything)) {
        clear(at, dfn);
      }
      at = dfn;
    }
  }

  /** Whether one of the guest's tables lies in guest frames of a range. */
  boolean isReadFrom(long gfn, long frames) {
    Long table = tables.ceiling(gfn);
    return table != null && table < gfn + frames;
  }

  /** Follows a change of the P2M; false where no page of it is mapped here. */
  boolean follow(long gfn, long frames) {
    List<GuestRun> affected = captured.leadingTo(gfn, frames);
    affected.forEach(this::map);
    return !affected.isEmpty();
  }

  /** Has the changes take effect. */
  void flush() {
    context.flush();
  }

  private void map(GuestRun run) {
    long dfn = run.dfn();
    while (dfn < run.end()) {
      DmaRun part = composed(run, dfn);
      if (part.permission() == DmaPermission.NONE) {
        clear(dfn, part.end());
      } else {
        map(part);
      }
      dfn = part.end();
    }
  }

  /** What the P2M makes of a run, from one of its frames on as far as that is the same. */
  private DmaRun composed(GuestRun run, long from) {
    DmaRun whole = leaf(run, from);
    while (whole.end() < run.end()) {
      DmaRun next = leaf(run, whole.end());
      boolean same =
          next.permission() == whole.permission()
              && (whole.permission() == DmaPermission.NONE
                  || next.mfn().value() == whole.mfn().value() + whole.frames());
      if (!same) {
        break;
      }
      whole =
          new DmaRun(whole.dfn(), whole.mfn(), whole.frames() + next.frames(), whole.permission());
    }
    return whole;
  }

  private DmaRun leaf(GuestRun run, long dfn) {
    Gfn gfn = new Gfn(run.gfn() + dfn - run.dfn());
    P2mLookup found = p2m.lookup(gfn);
    long covered = (1L << found.order()) - found.inside();
    return new DmaRun(
        new Gfn(dfn),
        found.mfn().isValid() ? found.mfn() : Mfn.INVALID,
        Math.min(covered, run.end() - dfn),
        run.permission().and(p2m.storedDma(gfn)));
  }

  private void map(DmaRun run) {
    try {
      context.map(new FrameRun(run.dfn().value(), run.frames()), run.mfn(), run.permission());
    } catch (Refusal noMemory) {
      ranShort();
      clear(run.dfn().value(), run.end());
    }
  }

  private void clear(long from, long to) {
    long at = from;
    while (at < to) {
      Optional<DmaRun> mapped = context.nextRun(new FrameRun(at, to - at));
      if (mapped.isEmpty()) {
        return;
      }
      long end = Math.min(to, mapped.get().end());
      unmap(Math.max(at, mapped.get().dfn().value()), end);
      at = end;
    }
  }

  /** Where there is no memory to split a leaf, everything goes: that needs none. */
  private void unmap(long from, long to) {
    try {
      context.unmap(new FrameRun(from, to - from));
    } catch (Refusal noMemory) {
      ranShort();
      context.unmap(new FrameRun(0, END));
    }
  }

  private void ranShort() {
    shortages++;
    holes = true;
  }

  /** What the shadow should map and does not, or maps and should not; empty where it is right. */
  Optional<String> violation() {
    long expected = 0;
    for (GuestRun run : captured.all()) {
      for (long dfn = run.dfn(); dfn < run.end(); ) {
        DmaRun part = composed(run, dfn);
        if (part.permission() != DmaPermission.NONE) {
          expected += part.frames();
          if (!maps(part)) {
            return Optional.of("the shadow of %s lacks %s".formatted(source, part));
          }
        }
        dfn = part.end();
      }
    }
    long mapped = mappedFrames();
    return mapped == expected
        ? Optional.empty()
        : Optional.of(
            "the shadow of %s maps %d frames, not %d".formatted(source, mapped, expected));
  }

  private boolean maps(DmaRun wanted) {
    long at = wanted.dfn().value();
    while (at < wanted.end()) {
      Optional<DmaRun> found = context.nextRun(new Gfn(at));
      if (found.isEmpty()
          || !found.get().covers(at)
          || !found.get().at(at).equals(wanted.at(at))
          || found.get().permission() != wanted.permission()) {
        return false;
      }
      at = found.get().end();
    }
    return true;
  }

  /** How many frames of 4 KiB the shadow maps. */
  long mappedFrames() {
    long frames = 0;
    Optional<DmaRun> run = context.nextRun(new Gfn(0));
    while (run.isPresent()) {
      frames += run.get().frames();
      run = context.nextRun(new Gfn(run.get().end()));
    }
    return frames;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(source.toString())
        .put(context.tag().value())
        .put(captured)
        .put(shortages)
        .put(holes);
    digest.put(tables.size());
    tables.forEach(digest::put);
  }
}
