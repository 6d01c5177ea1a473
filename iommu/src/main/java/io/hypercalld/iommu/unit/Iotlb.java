package io.hypercalld.iommu.unit;

import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * Remembered translations, keyed by address space and page. Confined to the machine thread.
 *
 * <p>An address space is a domain-id, or a PASID in one: see {@link AddressSpaces}. The requester
 * is not part of the key: two devices with one domain-id share what is remembered, and a domain-id
 * that is given away without an invalidation takes its old translations along.
 *
 * @see "VT-d §6.2.1"
 */
final class Iotlb implements Digestible {
  /*
   * Each translation has a home entry, and may stand in any of the four entries of its home's set:
   * those whose numbers differ from the home's in the low two bits. Consecutive pages of a domain,
   * and one page of consecutive domains, have different homes, so the first comparison usually hits.
   * An entry is a pair of adjacent words, the tag and the leaf.
   *
   * A hit marks its entry, once. A new translation takes its home, or else a free entry of the set, or
   * else the first unmarked one from home on, unmarking those it passes: second chance, which needs
   * no clock and no store per hit.
   *
   * Those away from home are counted: while there is none, whoever is not at home is nowhere.
   *
   * To forget a space costs one increment: each has an epoch, each leaf the epoch it was filled in,
   * and a leaf of another epoch is as good as gone. Where the bits of an epoch run out, the space's
   * entries are dropped one by one and it starts again from zero.
   *
   * Until something is put there is one set, and no epoch: most units of most machines are idle.
   */
  static final long MISS = 0;

  private static final int WAYS = 4;

  /** 2^64 divided by the golden ratio: multiples of it keep apart, however many there are. */
  private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;

  private static final BitField PAGE = bits("PAGE", 44, 0);
  private static final BitField SPACE = bits("SPACE", 61, 45);

  /** Never 0, so that no tag is the zero word. */
  private static final BitField LEVEL = bits("LEVEL", 63, 62);

  static final WordLayout TAG = WordLayout.covering("iotlb.tag", PAGE, SPACE, LEVEL);

  // Folded as constants on the way of every request.
  private static final int SPACE_SHIFT = 45;
  private static final int SPACE_BITS = 17;
  private static final long EPOCH_MASK = Leaf.EPOCH.mask();
  private static final int EPOCH_STEP = (int) Leaf.EPOCH.of(1);
  private static final long REF_MASK = Leaf.REF.mask();
  private static final long AWAY_MASK = Leaf.AWAY.mask();
  private static final long KEY_MASK = (PAGE.max() << PageSize.SHIFT_4K) + PageSize.BYTES_4K - 1;
  private static final long FREE = 0;

  private final RecentHits hits;
  private final int entries;
  private final int spaces;
  private final int spreadShift;
  private long[] words = new long[2 * WAYS];
  private int homeMask = WAYS - 1;

  /** By space, in the bits of {@link Leaf#EPOCH}. */
  private int[] epochs = {};

  private boolean holdsSuperpages;

  /** Number of free entries. */
  private int free;

  /** Number of entries that do not stand in their home. */
  private int away;

  /** Tag and home of the page that was missed last, which is the next one to be put. */
  private long missedTag = FREE;

  private int missedHome;

  /** Number of sets and entries that invalidations have looked at. */
  private long looks;

  /**
   * An empty cache.
   *
   * @param entries how many translations it holds, a power of two and at least 4
   * @param spaces how many address spaces there are
   * @param hits who hears of every loss
   */
  Iotlb(int entries, int spaces, RecentHits hits) {
    this.hits = hits;
    this.entries = entries;
    this.spaces = spaces;
    this.spreadShift = Long.SIZE - Integer.bitCount(entries - 1);
    this.free = entries;
  }

  /** A canonical address without the bits that repeat its sign: what it is remembered by. */
  static long key(long iova) {
    return iova & KEY_MASK;
  }

  /**
   * The leaf that translates {@code iova} in the space, or {@link #MISS}.
   *
   * @param iova an address of at most 57 bits
   */
  long find(int space, long iova) {
    long leaf = probe(space, iova >>> PageSize.SHIFT_4K, 1);
    return leaf != MISS || !holdsSuperpages ? leaf : findSuperpage(space, iova);
  }

  private long findSuperpage(int space, long iova) {
    long leaf = probe(space, iova >>> SecondStageEntry.shift(2), 2);
    return leaf != MISS ? leaf : probe(space, iova >>> SecondStageEntry.shift(3), 3);
  }

  /** The leaf of level 2 that translates {@code iova} in the space, or {@link #MISS}. */
  long findOfLevel2(int space, long iova) {
    return probe(space, iova >>> SecondStageEntry.shift(2), 2);
  }

  private long probe(int space, long page, int level) {
    long tag = tag(space, page, level);
    int home = home(space, page, level);
    int entry = words[2 * home] == tag ? home : awayFromHome(tag, home);
    if (entry < 0) {
      missedTag = tag;
      missedHome = home;
      return MISS;
    }
    long leaf = words[2 * entry + 1];
    if (!isCurrent(leaf, space)) {
      free(entry);
      return MISS;
    }
    if ((leaf & REF_MASK) == 0) {
      words[2 * entry + 1] = leaf | REF_MASK;
    }
    return leaf;
  }

  private int awayFromHome(long tag, int home) {
    if (away == 0) {
      return -1;
    }
    for (int way = 1; way < WAYS; way++) {
      if (words[2 * (home ^ way)] == tag) {
        return home ^ way;
      }
    }
    return -1;
  }

  /** The same as {@link #find}, but leaves no mark. */
  long peek(int space, long iova) {
    for (int level = 1; level <= PageSize.SIZE_1G.level(); level++) {
      int entry = entryOf(space, iova >>> SecondStageEntry.shift(level), level);
      if (entry >= 0 && isCurrent(words[2 * entry + 1], space)) {
        return words[2 * entry + 1];
      }
    }
    return MISS;
  }

  private int entryOf(int space, long page, int level) {
    long tag = tag(space, page, level);
    int home = home(space, page, level);
    return words[2 * home] == tag ? home : awayFromHome(tag, home);
  }

  /** Remembers a leaf that {@link #find} just missed. */
  void put(int space, long iova, long leaf) {
    if (epochs.length == 0) {
      makeRoom();
    }
    int level = Leaf.level(leaf);
    if (level == 1) {
      put(space, iova >>> PageSize.SHIFT_4K, 1, leaf);
    } else {
      put(space, iova >>> SecondStageEntry.shift(level), level, leaf);
      holdsSuperpages = true;
    }
  }

  private void makeRoom() {
    words = new long[2 * entries];
    epochs = new int[spaces];
    homeMask = entries - 1;
    missedTag = FREE;
  }

  private void put(int space, long page, int level, long leaf) {
    long tag = tag(space, page, level);
    int home = tag == missedTag ? missedHome : home(space, page, level);
    int entry = room(home);
    words[2 * entry] = tag;
    words[2 * entry + 1] = leaf | epochs[space];
    if (entry != home) {
      words[2 * entry + 1] |= AWAY_MASK;
      away++;
    }
  }

  private int room(int home) {
    if (free > 0) {
      for (int way = 0; way < WAYS; way++) {
        if (words[2 * (home ^ way)] == FREE) {
          free--;
          return home ^ way;
        }
      }
    }
    hits.forget();
    int victim = victim(home);
    if ((words[2 * victim + 1] & AWAY_MASK) != 0) {
      away--;
    }
    return victim;
  }

  private int victim(int home) {
    for (int way = 0; way < WAYS; way++) {
      int leaf = 2 * (home ^ way) + 1;
      if ((words[leaf] & REF_MASK) == 0) {
        return home ^ way;
      }
      words[leaf] &= ~REF_MASK;
    }
    return home;
  }

  private static long tag(int space, long page, int level) {
    return spaceAndLevel(space, level) << SPACE_SHIFT | page;
  }

  private static long spaceAndLevel(int space, int level) {
    return space | (long) level << SPACE_BITS;
  }

  private int home(int space, long page, int level) {
    long spread = (spaceAndLevel(space, level) * GOLDEN) >>> spreadShift;
    return (int) (page + spread * WAYS) & homeMask;
  }

  private boolean isCurrent(long leaf, int space) {
    return ((leaf ^ epochs[space]) & EPOCH_MASK) == 0;
  }

  void invalidateAll() {
    hits.forget();
    Arrays.fill(words, FREE);
    free = entries;
    away = 0;
    holdsSuperpages = false;
  }

  void invalidateSpace(int space) {
    hits.forget();
    if (space < epochs.length) {
      epochs[space] = (int) ((epochs[space] + EPOCH_STEP) & EPOCH_MASK);
      if (epochs[space] == 0) {
        freeIf(tag -> SPACE.get(tag) == space);
      }
    }
  }

  /** Drops every leaf of the space that has an address in common with the 2^mask pages. */
  void invalidatePages(int space, long iova, int addressMask) {
    long page = iova >>> PageSize.SHIFT_4K & PAGE.max();
    if (addressMask > Integer.bitCount(entries - 1)) {
      freeIf(tag -> SPACE.get(tag) == space && overlaps(tag, page, addressMask));
      return;
    }
    for (int level = 1; level <= PageSize.SIZE_1G.level(); level++) {
      int order = PageSize.ofLevel(level).order();
      int widest = Math.max(order, addressMask);
      long first = page >>> widest << (widest - order);
      for (long each = first; each < first + (1L << (widest - order)); each++) {
        looks++;
        int entry = entryOf(space, each, level);
        if (entry >= 0) {
          free(entry);
        }
      }
    }
  }

  /** Drops what is remembered of absent entries. */
  void invalidateAbsences() {
    for (int entry = 0; entry <= homeMask; entry++) {
      if (words[2 * entry] != FREE && Leaf.permissions(words[2 * entry + 1]) == 0) {
        free(entry);
      }
    }
  }

  private static boolean overlaps(long tag, long page, int addressMask) {
    int order = PageSize.ofLevel(LEVEL.getInt(tag)).order();
    int widest = Math.max(order, addressMask);
    return widest >= PAGE.width() || PAGE.get(tag) << order >>> widest == page >>> widest;
  }

  private void free(int entry) {
    hits.forget();
    free++;
    if ((words[2 * entry + 1] & AWAY_MASK) != 0) {
      away--;
    }
    words[2 * entry] = FREE;
    words[2 * entry + 1] = FREE;
  }

  /** What invalidations have cost since power-on, in sets and entries looked at. */
  long looks() {
    return looks;
  }

  private void freeIf(LongPredicate filter) {
    looks += entries;
    for (int entry = 0; entry <= homeMask; entry++) {
      if (words[2 * entry] != FREE && filter.test(words[2 * entry])) {
        free(entry);
      }
    }
  }

  /** What is remembered, by number of the entry. */
  List<CachedTranslation> entries(AddressSpaces spaces) {
    List<CachedTranslation> entries = new ArrayList<>();
    for (int entry = 0; entry <= homeMask; entry++) {
      if (isLive(entry)) {
        entries.add(CachedTranslation.of(spaces, words[2 * entry], words[2 * entry + 1]));
      }
    }
    return entries;
  }

  private boolean isLive(int entry) {
    long tag = words[2 * entry];
    return tag != FREE && isCurrent(words[2 * entry + 1], SPACE.getInt(tag));
  }

  static int space(long tag) {
    return SPACE.getInt(tag);
  }

  static long iova(long tag) {
    return PAGE.get(tag) << SecondStageEntry.shift(LEVEL.getInt(tag));
  }

  /** Every entry in use, and whether its epoch is over; the epochs' numbers decide nothing. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("iotlb");
    for (int entry = 0; entry <= homeMask; entry++) {
      long tag = words[2 * entry];
      if (tag != FREE) {
        digest.put(entry).put(tag).put(Leaf.EPOCH.clear(words[2 * entry + 1])).put(isLive(entry));
      }
    }
  }
}
