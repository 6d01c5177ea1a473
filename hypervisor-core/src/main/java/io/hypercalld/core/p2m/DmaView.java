package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.PageWord;
import java.util.Arrays;

/**
 * A P2M as devices see it: by its entries as they are stored. Confined to the machine thread.
 *
 * <p>It remembers the lowest tables that it has come by for as long as nothing is stored, so that
 * looking up a guest's pages costs one walk for each table and one read for each page.
 */
public final class DmaView {
  private static final int REMEMBERED = 1 << 12;
  private static final long NOTHING = -1;
  private static final long NOWHERE = ~PageWord.ABSENT;
  private static final int MOST = 512;

  private final TableTree tree;
  private final P2mGeometry geometry;
  private final int regionOrder;

  /** What one lowest table covers, by the low bits of its number. */
  private final long[] regions = new long[REMEMBERED];

  /**
   * The table's address; where a larger leaf is instead, the complement of its first page's word.
   */
  private final long[] tables = new long[REMEMBERED];

  private long revision = NOTHING;

  private final long[] places = new long[MOST];
  private final long[] entries = new long[MOST];

  DmaView(TableTree tree) {
    this.tree = tree;
    this.geometry = tree.geometry();
    this.regionOrder = geometry.order(2);
  }

  /**
   * Sends pages on that lead to guest frames.
   *
   * @param words guest frames and rights, at most 512 of them, as {@link PageWord} has them; they
   *     become machine frames, and rights that the P2M gives devices as well
   */
  // Entries are fetched in a loop of their own: so many fetches are under way at a time.
  public void through(long[] words) {
    if (revision != tree.revision) {
      Arrays.fill(regions, NOTHING);
      revision = tree.revision;
    }
    for (int i = 0; i < words.length; i++) {
      places[i] = words[i] == PageWord.ABSENT ? NOWHERE : place(PageWord.frame(words[i]));
    }
    for (int i = 0; i < words.length; i++) {
      entries[i] = tree.read(places[i] < 0 ? tree.root() : places[i]);
    }
    join(words);
  }

  /** Neighbours differ by their frames alone, mostly: what an entry permits is told once. */
  private void join(long[] words) {
    long granule = geometry.granuleFrames() - 1L;
    long known = P2mEntry.EMPTY;
    int rights = LeafWriter.dma(known).rights();
    for (int i = 0; i < words.length; i++) {
      long there = ~places[i];
      if (there < 0) {
        if (!P2mEntry.areAlike(entries[i], known)) {
          known = entries[i];
          rights = LeafWriter.dma(known).rights();
        }
        there = word(entries[i], rights, PageWord.frame(words[i]) & granule);
      }
      words[i] = PageWord.through(words[i], there);
    }
  }

  /** The address of a guest frame's entry, or the complement of what a larger leaf says of it. */
  private long place(long gfn) {
    long region = gfn >>> regionOrder;
    int slot = (int) region & (REMEMBERED - 1);
    if (regions[slot] != region) {
      tables[slot] = find(gfn);
      regions[slot] = region;
    }
    long table = tables[slot];
    return table < 0 ? ~within(~table, gfn & ((1L << regionOrder) - 1)) : tree.slot(table, gfn, 1);
  }

  private long find(long gfn) {
    if (gfn >>> geometry.gfnBits() != 0) {
      return NOWHERE;
    }
    long table = tree.root();
    for (int level = geometry.levels(); level > 1; level--) {
      long entry = tree.read(tree.slot(table, gfn, level));
      tree.counters().entryReads++;
      if (!TableTree.isTable(entry, level)) {
        long inside = gfn & ((1L << geometry.order(level)) - 1) & -(1L << regionOrder);
        return ~within(word(entry), inside);
      }
      table = P2mEntry.target(entry);
    }
    return table;
  }

  private static long within(long word, long pages) {
    return word == PageWord.ABSENT ? PageWord.ABSENT : PageWord.after(word, pages);
  }

  private static long word(long leaf) {
    return word(leaf, LeafWriter.dma(leaf).rights(), 0);
  }

  private static long word(long leaf, int rights, long inside) {
    return rights == 0 ? PageWord.ABSENT : PageWord.of(P2mEntry.mfn(leaf) + inside, rights);
  }
}
