package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.DmaView;
import io.hypercalld.iommu.driver.DmaRun;
import io.hypercalld.iommu.driver.IoContext;
import java.util.Arrays;
import java.util.Optional;

/**
 * Has an address space lead where a guest's table sends its pages and the P2M those. Confined to
 * the machine thread.
 *
 * <p>Pages that follow each other are mapped at once, in leaves as large as they allow; others by
 * the table. What was told takes effect with {@link #settle}. Where memory for a table runs out a
 * hole is left, never a stale mapping; a device is switched to a shadow without holes only.
 */
final class ShadowWriter implements Digestible {
  private final IoContext context;
  private final DmaView p2m;
  private final long[] composed = new long[CapturedTable.PAGES];

  /** Pages that follow the first one, or lead nowhere as it does, and have not been written. */
  private long first;

  private long word;
  private long count;

  private long shortages;
  private boolean holes;

  ShadowWriter(IoContext context, DmaView p2m) {
    this.context = context;
    this.p2m = p2m;
  }

  /** How often something was left out. */
  long shortages() {
    return shortages;
  }

  /** Whether something was left out since all was last to be written. */
  boolean hasHoles() {
    return holes;
  }

  /** All is going to be written. */
  void begin() {
    holes = false;
  }

  /**
   * Writes pages of one block of 512.
   *
   * @param block the first page of all 512
   * @param words where the guest's table leads them
   */
  void write(long block, long[] words, int from, int to) {
    Arrays.fill(composed, PageWord.ABSENT);
    System.arraycopy(words, from, composed, from, to - from);
    p2m.through(composed);
    if (isRun(from, to)) {
      write(block + from, composed[from], to - from);
    } else {
      settle();
      replace(block, from, to);
    }
  }

  /** Has pages lead nowhere. */
  void clear(long from, long to) {
    write(from, PageWord.ABSENT, to - from);
  }

  /** What the shadow of a block should be. */
  long[] compose(long[] words) {
    long[] shadow = words.clone();
    p2m.through(shadow);
    return shadow;
  }

  private boolean isRun(int from, int to) {
    long step = composed[from] == PageWord.ABSENT ? 0 : PageWord.STEP;
    int page = from + 1;
    while (page < to && composed[page] == composed[page - 1] + step) {
      page++;
    }
    return page == to;
  }

  private void write(long dfn, long leading, long pages) {
    long expected = word == PageWord.ABSENT ? PageWord.ABSENT : PageWord.after(word, count);
    if (count == 0 || dfn != first + count || leading != expected) {
      settle();
      first = dfn;
      word = leading;
    }
    count += pages;
  }

  /** Writes what has been told of and not been written. */
  void settle() {
    long pages = count;
    count = 0;
    if (pages > 0 && word == PageWord.ABSENT) {
      unmap(first, first + pages);
    } else if (pages > 0) {
      map(pages);
    }
  }

  private void map(long pages) {
    try {
      context.map(
          new FrameRun(first, pages),
          new Mfn(PageWord.frame(word)),
          DmaPermission.ofRights(PageWord.rights(word)));
    } catch (Refusal noMemory) {
      fallShort();
      unmap(first, first + pages);
    }
  }

  private void replace(long block, int from, int to) {
    try {
      context.replace(new FrameRun(block + from, to - from), composed);
    } catch (Refusal noMemory) {
      fallShort();
      unmap(block + from, block + to);
    }
  }

  /** Where there is no memory to split a leaf, everything goes: that needs none. */
  private void unmap(long from, long to) {
    try {
      unmapRuns(from, to);
    } catch (Refusal noMemory) {
      fallShort();
      context.unmap(new FrameRun(0, ShadowSpace.END));
    }
  }

  private void unmapRuns(long from, long to) {
    long at = from;
    while (at < to) {
      Optional<DmaRun> mapped = context.nextRun(new FrameRun(at, to - at));
      if (mapped.isEmpty()) {
        return;
      }
      long start = Math.max(at, mapped.get().dfn().value());
      long end = Math.min(to, mapped.get().end());
      context.unmap(new FrameRun(start, end - start));
      at = end;
    }
  }

  /** Not all that was to be written is. */
  void fallShort() {
    shortages++;
    holes = true;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(shortages).put(holes);
  }
}
