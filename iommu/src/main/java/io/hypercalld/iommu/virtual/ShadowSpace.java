package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.DmaRun;
import io.hypercalld.iommu.driver.IoContext;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The shadow of one guest table: what it said when it was last read, composed with the P2M as it
 * is. Confined to the machine thread.
 *
 * <p>A page may be read where both permit it, and so for writing; leaves are as large as the
 * alignment of both sides allows.
 */
final class ShadowSpace implements Digestible {
  /** The first frame beyond every address space. */
  static final long END = 1L << P2mTable.GFN_BITS;

  private final Optional<Translated> source;
  private final IoContext context;
  private final GuestTables reader;
  private final CapturedTable captured = new CapturedTable();
  private final ShadowWriter writer;
  private final TreeSet<Long> tables = new TreeSet<>();

  /** The words of the block that is being written. */
  private final long[] block = new long[CapturedTable.PAGES];

  /**
   * An empty shadow.
   *
   * @param source the guest's table; empty for the space of devices that the guest blocks
   */
  ShadowSpace(Optional<Translated> source, IoContext context, P2mTable p2m, GuestTables reader) {
    this.source = source;
    this.context = context;
    this.writer = new ShadowWriter(context, p2m.dmaView());
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

  /** Whether it lacks what there was no memory for, or what was not read to the end. */
  boolean hasHoles() {
    return writer.hasHoles();
  }

  /**
   * Refuses to stand for the guest's table with less than that maps: no device goes through it yet.
   *
   * @throws Refusal ENOMEM memory for its tables ran out, or the guest's go on for too long
   */
  void requireWhole() {
    if (writer.hasHoles()) {
      throw Refusal.of(Errno.ENOMEM, "no memory for the tables of the shadow of %s", source);
    }
  }

  /** How often memory ran out, or the guest's table went on for too long. */
  long shortages() {
    return writer.shortages();
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
          Follower follower = new Follower(from, writer.hasHoles());
          if (from == 0 && to == END) {
            tables.clear();
            writer.begin();
          }
          reader.read(space, from, to, follower);
          follower.skipTo(to);
          if (reader.wasCutShort()) {
            writer.fallShort();
          }
          captured.settle();
          writer.settle();
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
        write(run.dfn(), run.end());
      }
      at = run.end();
    }

    @Override
    public void leaves(long first, long[] words, int from, int to) {
      skipTo(first + from);
      if (everything || !captured.agrees(first, words, from, to)) {
        captured.set(first, words, from, to);
        writer.write(first, words, from, to);
      }
      at = first + to;
    }

    /** What lies before a page and was not told of leads nowhere. */
    void skipTo(long dfn) {
      if (at < dfn && (captured.clear(at, dfn) || everything)) {
        writer.clear(at, dfn);
      }
      at = dfn;
    }
  }

  /** Has pages lead where the guest's table said and the P2M says. */
  private void write(long from, long to) {
    for (long first = from & -CapturedTable.PAGES; first < to; first += CapturedTable.PAGES) {
      captured.read(first, block);
      int start = (int) (Math.max(from, first) - first);
      int end = (int) (Math.min(to, first + CapturedTable.PAGES) - first);
      writer.write(first, block, start, end);
    }
  }

  /** Whether one of the guest's tables lies in guest frames of a range. */
  boolean isReadFrom(long gfn, long frames) {
    Long table = tables.ceiling(gfn);
    return table != null && table < gfn + frames;
  }

  /** Follows a change of the P2M; false where no page of it is mapped here. */
  boolean follow(long gfn, long frames) {
    List<FrameRun> affected = captured.leadingTo(gfn, frames);
    affected.forEach(pages -> write(pages.mfn(), pages.mfn() + pages.count()));
    writer.settle();
    return !affected.isEmpty();
  }

  /** Has the changes take effect. */
  void flush() {
    context.flush();
  }

  /** What the shadow should map and does not, or maps and should not; empty where it is right. */
  Optional<String> violation() {
    long expected = 0;
    long[] mapped = new long[CapturedTable.PAGES];
    for (long first : captured.firsts().toArray()) {
      captured.read(first, block);
      long[] wanted = writer.compose(block);
      expected += Arrays.stream(wanted).filter(word -> word != PageWord.ABSENT).count();
      readShadow(first, mapped);
      int page = Arrays.mismatch(wanted, mapped);
      if (page >= 0) {
        return Optional.of("the shadow of %s is wrong at 0x%x".formatted(source, first + page));
      }
    }
    long there = mappedFrames();
    return there == expected
        ? Optional.empty()
        : Optional.of("the shadow of %s maps %d frames, not %d".formatted(source, there, expected));
  }

  private void readShadow(long first, long[] words) {
    Arrays.fill(words, PageWord.ABSENT);
    long end = first + CapturedTable.PAGES;
    Optional<DmaRun> run = context.nextRun(new FrameRun(first, end - first));
    while (run.isPresent()) {
      DmaRun there = run.get();
      for (long dfn = Math.max(first, there.dfn().value());
          dfn < Math.min(end, there.end());
          dfn++) {
        words[(int) (dfn - first)] =
            PageWord.of(there.at(dfn).value(), there.permission().rights());
      }
      long next = Math.min(end, there.end());
      run = context.nextRun(new FrameRun(next, end - next));
    }
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
    digest.put(source.toString()).put(context.tag().value()).put(captured).put(writer);
    digest.put(tables.size());
    tables.forEach(digest::put);
  }
}
