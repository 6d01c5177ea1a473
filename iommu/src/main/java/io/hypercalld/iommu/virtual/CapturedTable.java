package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.PageWord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What a guest's table said when it was last looked at, by blocks of 512 pages, and which pages
 * lead to a guest frame. Confined to the machine thread.
 *
 * <p>A block is the words of its pages, or the first one's alone where the others follow it; where
 * no page leads anywhere there is none.
 */
final class CapturedTable implements Digestible {
  static final int PAGES = 512;
  private static final int SHIFT = 9;

  private final TreeMap<Long, Block> blocks = new TreeMap<>();
  private final ReverseRuns reverseRuns = new ReverseRuns();
  private final ReversePages reversePages = new ReversePages();

  /** The words of the block that is being changed, as they will be. */
  private final long[] merged = new long[PAGES];

  private long pages;

  /** Whether there was no room to note where pages lead. */
  private boolean unnoted;

  /** 512 pages. */
  private static final class Block {
    /** The first one's word where the others follow it. */
    private final long[] words;

    /** By which its pages are known; 0 where the others follow the first. */
    private final int slot;

    Block(long[] words, int slot) {
      this.words = words;
      this.slot = slot;
    }

    boolean isRun() {
      return slot == 0;
    }

    long word(int page) {
      return isRun() ? PageWord.after(words[0], page) : words[page];
    }
  }

  /** How many pages lead anywhere. */
  long pages() {
    return pages;
  }

  private static int inBlock(long dfn) {
    return (int) (dfn & (PAGES - 1));
  }

  private static long word(@Nullable Block block, int page) {
    return block == null ? PageWord.ABSENT : block.word(page);
  }

  /** Reads the words of the 512 pages from one on. */
  void read(long first, long[] words) {
    spread(blocks.get(first >>> SHIFT), words);
  }

  private static void spread(@Nullable Block block, long[] words) {
    if (block != null && !block.isRun()) {
      System.arraycopy(block.words, 0, words, 0, PAGES);
      return;
    }
    for (int page = 0; page < PAGES; page++) {
      words[page] = word(block, page);
    }
  }

  /** Whether some pages of the block of a page have these words. */
  boolean agrees(long dfn, long[] words, int from, int to) {
    Block block = blocks.get(dfn >>> SHIFT);
    if (block != null && !block.isRun()) {
      return Arrays.equals(words, from, to, block.words, from, to);
    }
    int page = from;
    while (page < to && words[page] == word(block, page)) {
      page++;
    }
    return page == to;
  }

  /** Replaces the words of some pages of the block of a page. */
  void set(long dfn, long[] words, int from, int to) {
    Block block = blocks.get(dfn >>> SHIFT);
    spread(block, merged);
    System.arraycopy(words, from, merged, from, to - from);
    store(dfn >>> SHIFT, block);
  }

  /** Has a block be what is merged. */
  private void store(long number, @Nullable Block before) {
    boolean run = isRun(merged);
    boolean empty = !run && isEmpty(merged);
    if (before != null && !before.isRun() && !run && !empty) {
      replace(before);
      return;
    }
    remove(number, before);
    if (run) {
      reverseRuns.add(number, PageWord.frame(merged[0]));
      blocks.put(number, new Block(new long[] {merged[0]}, 0));
      pages += PAGES;
    } else if (!empty) {
      long[] words = new long[PAGES];
      Block made = new Block(words, reversePages.open(number << SHIFT, words));
      blocks.put(number, made);
      replace(made);
    }
  }

  private void remove(long number, @Nullable Block block) {
    if (block == null) {
      return;
    }
    blocks.remove(number);
    if (block.isRun()) {
      reverseRuns.remove(number, PageWord.frame(block.words[0]));
      pages -= PAGES;
    } else {
      pages -= count(block.words);
      reversePages.close(block.slot);
    }
  }

  /** Has pages lead where the merged words say; those that go on as they were are left alone. */
  private void replace(Block block) {
    unnoted |= reversePages.isFull();
    pages += count(merged) - count(block.words);
    for (int page = 0; !unnoted && page < PAGES; page++) {
      if (block.words[page] != merged[page]) {
        note(block, page, merged[page]);
      }
    }
    System.arraycopy(merged, 0, block.words, 0, PAGES);
  }

  /**
   * Where there was no room for notes, notes anew where every page leads: once for all that a guest
   * changed.
   */
  void settle() {
    if (unnoted) {
      unnoted = false;
      noteAll();
    }
  }

  private void noteAll() {
    reversePages.clear(pages);
    for (Block block : blocks.values()) {
      for (int page = 0; !block.isRun() && page < PAGES; page++) {
        note(block, page, block.words[page]);
      }
    }
  }

  private void note(Block block, int page, long word) {
    if (word != PageWord.ABSENT) {
      reversePages.add(block.slot, page, PageWord.frame(word));
    }
  }

  private static int count(long[] words) {
    int found = 0;
    for (long word : words) {
      found += word == PageWord.ABSENT ? 0 : 1;
    }
    return found;
  }

  private static boolean isRun(long[] words) {
    if (words[0] == PageWord.ABSENT || words[PAGES - 1] != PageWord.after(words[0], PAGES - 1)) {
      return false;
    }
    int page = 1;
    while (page < PAGES && words[page] == PageWord.after(words[0], page)) {
      page++;
    }
    return page == PAGES;
  }

  private static boolean isEmpty(long[] words) {
    long any = 0;
    for (long word : words) {
      any |= word;
    }
    return any == PageWord.ABSENT;
  }

  /** Whether pages are known to lead where a run says. */
  boolean holds(GuestRun run) {
    for (long dfn = run.dfn(); dfn < run.end(); dfn += PAGES - inBlock(dfn)) {
      Block block = blocks.get(dfn >>> SHIFT);
      long end = Math.min(run.end(), dfn + PAGES - inBlock(dfn));
      for (long page = dfn; page < end; page++) {
        if (word(block, inBlock(page)) != run.word(page)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Has pages lead where a run says. */
  void put(GuestRun run) {
    for (long dfn = run.dfn(); dfn < run.end(); dfn += PAGES - inBlock(dfn)) {
      Block block = blocks.get(dfn >>> SHIFT);
      long end = Math.min(run.end(), dfn + PAGES - inBlock(dfn));
      spread(block, merged);
      for (long page = dfn; page < end; page++) {
        merged[inBlock(page)] = run.word(page);
      }
      store(dfn >>> SHIFT, block);
    }
  }

  /** Has pages lead nowhere; false where they did so already. */
  boolean clear(long from, long to) {
    boolean any = false;
    for (long number : List.copyOf(between(from, to).keySet())) {
      long first = number << SHIFT;
      int start = (int) Math.max(0, from - first);
      int end = (int) Math.min(PAGES, to - first);
      Block block = blocks.get(number);
      spread(block, merged);
      Arrays.fill(merged, start, end, PageWord.ABSENT);
      store(number, block);
      any = true;
    }
    return any;
  }

  private NavigableMap<Long, Block> between(long from, long to) {
    return blocks.subMap(from >>> SHIFT, true, (to - 1) >>> SHIFT, true);
  }

  /** The first pages of the blocks in which any page leads anywhere. */
  LongStream firsts() {
    return blocks.keySet().stream().mapToLong(number -> number << SHIFT);
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
            (number, block) -> {
              long first = number << SHIFT;
              collect(block, Math.max(from, first), Math.min(to, first + PAGES), runs);
            });
    return runs;
  }

  private static void collect(Block block, long from, long to, List<GuestRun> runs) {
    if (block.isRun()) {
      GuestRun.append(runs, GuestRun.of(from, block.word(inBlock(from)), to - from));
      return;
    }
    for (long dfn = from; dfn < to; dfn++) {
      long word = block.words[inBlock(dfn)];
      if (word != PageWord.ABSENT) {
        GuestRun.append(runs, GuestRun.of(dfn, word, 1));
      }
    }
  }

  /** Which pages lead to guest frames of a range, ascending; neighbours are one run. */
  List<FrameRun> leadingTo(long gfn, long frames) {
    settle();
    LongArrayList found = new LongArrayList();
    reversePages.forEach(gfn, frames, found::addLong);
    for (long number : reverseRuns.near(gfn, frames)) {
      long first = number << SHIFT;
      long shift = first - PageWord.frame(word(first));
      long to = Math.min(first + PAGES, gfn + frames + shift);
      for (long dfn = Math.max(first, gfn + shift); dfn < to; dfn++) {
        found.addLong(dfn);
      }
    }
    return runs(found.toLongArray());
  }

  private long word(long dfn) {
    return word(blocks.get(dfn >>> SHIFT), inBlock(dfn));
  }

  /** Puts pages, some of which may be told twice, together. */
  private static List<FrameRun> runs(long[] dfns) {
    Arrays.sort(dfns);
    List<FrameRun> runs = new ArrayList<>();
    for (int i = 0; i < dfns.length; ) {
      int end = i + 1;
      while (end < dfns.length && dfns[end] - dfns[end - 1] <= 1) {
        end++;
      }
      runs.add(new FrameRun(dfns[i], dfns[end - 1] + 1 - dfns[i]));
      i = end;
    }
    return runs;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(blocks.size());
    blocks.forEach(
        (number, block) -> {
          digest.put(number).put(block.words.length);
          for (long word : block.words) {
            digest.put(word);
          }
        });
  }
}
