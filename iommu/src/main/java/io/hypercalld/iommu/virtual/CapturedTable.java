package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a guest's table said when it was last looked at, by blocks of 512 pages. Confined to the
 * machine thread.
 *
 * <p>A block is the words of its pages, or the first one's alone where the others follow it; where
 * no page leads anywhere there is none.
 */
final class CapturedTable implements Digestible {
  static final int PAGES = 512;
  private static final int SHIFT = 9;

  private final TreeMap<Long, long[]> blocks = new TreeMap<>();
  private final ReverseMap reverse = new ReverseMap();
  private long pages;

  /** How many pages lead anywhere. */
  long pages() {
    return pages;
  }

  private static long pages(long @Nullable [] block) {
    if (block == null || block.length == 1) {
      return block == null ? 0 : PAGES;
    }
    long found = 0;
    for (long word : block) {
      found += word == PageWord.ABSENT ? 0 : 1;
    }
    return found;
  }

  private static int inBlock(long dfn) {
    return (int) (dfn & (PAGES - 1));
  }

  private static long word(long @Nullable [] block, int page) {
    if (block == null) {
      return PageWord.ABSENT;
    }
    return block.length == 1 ? PageWord.after(block[0], page) : block[page];
  }

  /** The words of the block of a page, as many as there are pages, to be changed by nobody. */
  long[] words(long dfn) {
    long[] block = blocks.get(dfn >>> SHIFT);
    return block != null && block.length == PAGES ? block : spread(block);
  }

  /** Whether some pages of the block of a page have these words. */
  boolean agrees(long dfn, long[] words, int from, int to) {
    long[] block = blocks.get(dfn >>> SHIFT);
    if (block != null && block.length == PAGES) {
      return Arrays.equals(words, from, to, block, from, to);
    }
    int page = from;
    while (page < to && words[page] == word(block, page)) {
      page++;
    }
    return page == to;
  }

  private static long[] spread(long @Nullable [] block) {
    long[] words = new long[PAGES];
    if (block != null) {
      Arrays.setAll(words, page -> word(block, page));
    }
    return words;
  }

  /** Replaces the words of some pages of the block of a page. */
  void set(long dfn, long[] words, int from, int to) {
    long[] merged = words(dfn).clone();
    System.arraycopy(words, from, merged, from, to - from);
    store(dfn >>> SHIFT, packed(merged));
  }

  private static long @Nullable [] packed(long[] words) {
    boolean consecutive = words[0] != PageWord.ABSENT;
    boolean empty = !consecutive;
    for (int page = 1; page < PAGES && (consecutive || empty); page++) {
      consecutive &= words[page] == PageWord.after(words[0], page);
      empty &= words[page] == PageWord.ABSENT;
    }
    if (empty) {
      return null;
    }
    return consecutive ? new long[] {words[0]} : words;
  }

  private void store(long block, long @Nullable [] now) {
    long[] before = now == null ? blocks.remove(block) : blocks.put(block, now);
    pages += pages(now) - pages(before);
    reverse.replace(block, before, now);
  }

  /** Whether pages are known to lead where a run says. */
  boolean holds(GuestRun run) {
    long word = PageWord.of(run);
    for (long dfn = run.dfn(); dfn < run.end(); dfn += PAGES - inBlock(dfn)) {
      if (!holds(dfn, Math.min(run.end(), dfn + PAGES - inBlock(dfn)), word, run.dfn())) {
        return false;
      }
    }
    return true;
  }

  private boolean holds(long from, long to, long word, long first) {
    long[] block = blocks.get(from >>> SHIFT);
    if (block == null || block.length == 1) {
      return word(block, inBlock(from)) == PageWord.after(word, from - first);
    }
    for (long dfn = from; dfn < to; dfn++) {
      if (block[inBlock(dfn)] != PageWord.after(word, dfn - first)) {
        return false;
      }
    }
    return true;
  }

  /** Has pages lead where a run says. */
  void put(GuestRun run) {
    long word = PageWord.of(run);
    for (long dfn = run.dfn(); dfn < run.end(); dfn += PAGES - inBlock(dfn)) {
      int from = inBlock(dfn);
      int to = (int) Math.min(PAGES, from + run.end() - dfn);
      long first = PageWord.after(word, dfn - run.dfn() - from);
      if (to - from == PAGES) {
        store(dfn >>> SHIFT, new long[] {first});
      } else {
        long[] words = new long[PAGES];
        Arrays.setAll(words, page -> PageWord.after(first, page));
        set(dfn, words, from, to);
      }
    }
  }

  /** Has pages lead nowhere; false where they did so already. */
  boolean clear(long from, long to) {
    boolean any = false;
    for (long block : List.copyOf(between(from, to).keySet())) {
      long first = block << SHIFT;
      int start = (int) Math.max(0, from - first);
      int end = (int) Math.min(PAGES, to - first);
      any = true;
      if (end - start == PAGES) {
        store(block, null);
      } else {
        set(first, new long[PAGES], start, end);
      }
    }
    return any;
  }

  private NavigableMap<Long, long[]> between(long from, long to) {
    return blocks.subMap(from >>> SHIFT, true, (to - 1) >>> SHIFT, true);
  }

  /** Every run, ascending. */
  List<GuestRun> all() {
    return within(0, ShadowSpace.END);
  }

  /** What lies from one frame to before another, cut to that, ascending; neighbours are one run. */
  List<GuestRun> within(long from, long to) {
    List<GuestRun> runs = new ArrayList<>();
    between(from, to)
        .forEach(
            (block, words) -> {
              long first = block << SHIFT;
              collect(words, first, Math.max(from, first), Math.min(to, first + PAGES), runs);
            });
    return runs;
  }

  private static void collect(long[] block, long first, long from, long to, List<GuestRun> runs) {
    if (block.length == 1) {
      GuestRun.append(runs, PageWord.run(from, PageWord.after(block[0], from - first), to - from));
      return;
    }
    for (long dfn = from; dfn < to; dfn++) {
      long word = block[inBlock(dfn)];
      if (word != PageWord.ABSENT) {
        GuestRun.append(runs, PageWord.run(dfn, word, 1));
      }
    }
  }

  /** What leads to guest frames of a range, cut to those. */
  List<GuestRun> leadingTo(long gfn, long frames) {
    List<GuestRun> found = new ArrayList<>();
    for (long block : reverse.near(gfn, frames)) {
      long first = block << SHIFT;
      for (GuestRun run : within(first, first + PAGES)) {
        long shift = run.dfn() - run.gfn();
        long from = Math.max(run.dfn(), gfn + shift);
        long to = Math.min(run.end(), gfn + frames + shift);
        if (from < to) {
          GuestRun.append(found, run.within(from, to));
        }
      }
    }
    return found;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(blocks.size());
    blocks.forEach(
        (block, words) -> {
          digest.put(block).put(words.length);
          for (long word : words) {
            digest.put(word);
          }
        });
  }
}
