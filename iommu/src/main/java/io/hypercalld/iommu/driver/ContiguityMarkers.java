package io.hypercalld.iommu.driver;

import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.vtd.SecondStageEntry;

/**
 * Notes in the entries of a table, in bits that hardware ignores, how far like entries reach: so
 * that it shows at once when a whole table says what one larger leaf could say, or nothing.
 * Confined to the machine thread.
 *
 * @see "xen/arch/x86/include/asm/pt-contig-markers.h"
 */
/*
 * The marker of entry i is the largest m, at most the number of zero bits below i's lowest one, such
 * that the 2^m entries from i on are alike: all absent, or all leaves of the same permissions that
 * map consecutive addresses, the first one aligned to what the 2^m entries cover. Entry 0 therefore
 * reaches 9 exactly where all 512 are alike. Changing entry i lowers the markers of the blocks that
 * contain it, then raises i's own and those of the blocks that are alike again; both loops visit
 * each of the nine block sizes once.
 */
final class ContiguityMarkers {
  /** log2 of the number of like entries from this one on. */
  private static final BitField MARKER = bits("contiguity", 55, 52);

  private static final int TABLE_ORDER = 9;
  private static final long MARKER_MASK = MARKER.mask();
  private static final long[] UNIFORM = uniform();

  private final MachineMemory memory;

  ContiguityMarkers(MachineMemory memory) {
    this.memory = memory;
  }

  private static long[] uniform() {
    long[] words = new long[SecondStageEntry.ENTRIES];
    for (int i = 0; i < words.length; i++) {
      words[i] = MARKER.of(reach(i));
    }
    return words;
  }

  /** The largest marker that an entry can have. */
  private static int reach(int index) {
    return index == 0 ? TABLE_ORDER : Integer.numberOfTrailingZeros(index);
  }

  /** The entry without its marker: what hardware sees. */
  static long without(long entry) {
    return entry & ~MARKER_MASK;
  }

  /** The markers of a table whose entries are all alike. */
  static long ofUniform(int index) {
    return UNIFORM[index];
  }

  /** Makes a new table one of 512 absent entries. */
  void clear(long table) {
    memory.writeWords(table, UNIFORM, UNIFORM.length);
  }

  /** Whether all 512 entries of the table are alike. */
  boolean isUniform(long table) {
    return MARKER.getInt(memory.readWord(table)) == TABLE_ORDER;
  }

  /** Brings the markers up to date after entry {@code index} was written, with none. */
  void update(long table, int index, int level) {
    long entry = memory.readWord(at(table, index));
    lowerAround(table, index);
    if (SecondStageEntry.isPresent(entry) && !isCandidate(entry, index, level)) {
      return;
    }
    int order = 0;
    while (order < reach(index) && continues(table, index, order, level)) {
      order++;
    }
    mark(table, index, order);
    if (order == reach(index)) {
      join(table, index, order, level);
    }
  }

  /** Makes one block of the {@code 1 << whole} like entries and their neighbours, up and up. */
  private void join(long table, int index, int whole, int level) {
    int first = index;
    int order = whole;
    while (order < TABLE_ORDER) {
      int buddy = first ^ 1 << order;
      int lower = Math.min(first, buddy);
      if (markerOf(table, buddy) != order || !alike(table, lower, order, level)) {
        return;
      }
      order++;
      first = lower;
      mark(table, first, order);
    }
  }

  private void lowerAround(long table, int index) {
    int block = index;
    while (block != 0) {
      int order = Integer.numberOfTrailingZeros(block);
      block &= block - 1;
      if (markerOf(table, block) <= order) {
        return;
      }
      mark(table, block, order);
    }
  }

  /** Whether the 2^order entries after those of {@code index} go on as these do. */
  private boolean continues(long table, int index, int order, int level) {
    int next = index + (1 << order);
    return markerOf(table, next) == order && alike(table, index, order, level);
  }

  private boolean alike(long table, int lower, int order, int level) {
    return alike(
        memory.readWord(at(table, lower)),
        memory.readWord(at(table, lower + (1 << order))),
        order,
        level);
  }

  /** The same for a whole table at once: its 512 words, markers included, are put in place. */
  static void recompute(long[] words, int level) {
    boolean any = false;
    for (int i = 0; i < words.length; i += 2) {
      long one = without(words[i]);
      long next = without(words[i + 1]);
      boolean fits = isAbsent(one) || isCandidate(one, i, level);
      boolean pair = fits && alike(one, next, 0, level);
      words[i] = pair ? MARKER.put(one, 1) : one;
      words[i + 1] = next;
      any |= pair;
    }
    for (int order = 1; any && order < TABLE_ORDER; order++) {
      any = join(words, order, level);
    }
  }

  /** Makes blocks of twice as many entries where two of {@code 1 << order} are alike. */
  private static boolean join(long[] words, int order, int level) {
    boolean any = false;
    for (int i = 0; i < words.length; i += 2 << order) {
      int next = i + (1 << order);
      if (MARKER.getInt(words[i]) == order
          && MARKER.getInt(words[next]) == order
          && alike(words[i], words[next], order, level)) {
        words[i] = MARKER.put(words[i], order + 1L);
        any = true;
      }
    }
    return any;
  }

  private static boolean isAbsent(long entry) {
    return !SecondStageEntry.isPresent(entry);
  }

  /** Whether the entry is a leaf whose address fits its place in a larger leaf. */
  private static boolean isCandidate(long entry, int index, int level) {
    return SecondStageEntry.isLeaf(entry, level)
        && SecondStageEntry.index(SecondStageEntry.target(entry), level) == index;
  }

  private static boolean alike(long one, long next, int order, int level) {
    if (isAbsent(one)) {
      return isAbsent(next);
    }
    return SecondStageEntry.isLeaf(one, level)
        && without(one ^ next) == 1L << (order + SecondStageEntry.shift(level));
  }

  private int markerOf(long table, int index) {
    return MARKER.getInt(memory.readWord(at(table, index)));
  }

  private void mark(long table, int index, int order) {
    long at = at(table, index);
    memory.writeWord(at, MARKER.put(memory.readWord(at), order));
  }

  private static long at(long table, int index) {
    return table + (long) index * SecondStageEntry.BYTES;
  }
}
