package io.hypercalld.iommu.driver;

import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Replaced;
import io.hypercalld.core.memory.SlotBits;
import io.hypercalld.core.memory.WordProgression;
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
 * map consecutive addresses, each where a larger leaf would have it. Entry 0 therefore reaches 9
 * exactly where all 512 are alike. Changing a run of entries lowers the markers of the
 * blocks that begin before it and reach into it. If the run's entries are alike, each gets the
 * largest marker that it can have, save where its block would reach beyond the run's end; then the
 * blocks around the run's ends are doubled as long as they can be. Apart from the run itself that
 * visits each of the nine block sizes twice, however long the run is.
 */
final class ContiguityMarkers {
  /** log2 of the number of like entries from this one on. */
  private static final BitField MARKER = bits("contiguity", 55, 52);

  private static final int TABLE_ORDER = 9;
  private static final long MARKER_MASK = MARKER.mask();
  private static final long ONE_MORE = MARKER.of(1);

  /** The largest marker of each entry: a table of like entries. */
  private static final SlotBits LARGEST =
      new SlotBits(MARKER_MASK, index -> MARKER.of(reach(index)));

  private static final SlotBits NONE = new SlotBits(MARKER_MASK, _ -> 0);

  private final MachineMemory memory;

  ContiguityMarkers(MachineMemory memory) {
    this.memory = memory;
  }

  /** The largest marker that an entry can have. */
  private static int reach(int index) {
    return index == 0 ? TABLE_ORDER : Integer.numberOfTrailingZeros(index);
  }

  /** The entry without its marker: what hardware sees. */
  static long without(long entry) {
    return entry & ~MARKER_MASK;
  }

  /** Makes a new table one of 512 absent entries. */
  void clear(long table) {
    fill(table, new WordProgression(0, 0));
  }

  /**
   * Makes a new table one of 512 like entries: leaves that are one aligned larger one, or holes.
   */
  void fill(long table, WordProgression leaves) {
    memory.replaceWords(table, SecondStageEntry.ENTRIES, leaves, LARGEST);
  }

  /** Whether all 512 entries of the table are alike. */
  boolean isUniform(long table) {
    return MARKER.getInt(memory.readWord(table)) == TABLE_ORDER;
  }

  /**
   * Stores holes, or leaves of consecutive addresses, in a lowest table from an entry on.
   *
   * @return what was there before, markers apart
   */
  Replaced replace(long table, int index, int count, WordProgression entries) {
    boolean uniform = canBeUniform(entries.first(), index, 1);
    Replaced replaced =
        memory.replaceWords(at(table, index), count, entries, uniform ? LARGEST : NONE);
    lowerAround(table, index);
    if (uniform) {
      lowerAround(table, index + count);
      raise(table, index + count - 1, 1);
      raise(table, index, 1);
    }
    return replaced;
  }

  /**
   * Stores all 512 entries of a lowest table, given without markers; the array has them afterwards.
   */
  void rewrite(long table, long[] entries) {
    for (int order = 0; order < TABLE_ORDER; order++) {
      if (!join(entries, order)) {
        break;
      }
    }
    memory.writeWords(table, entries, SecondStageEntry.ENTRIES);
  }

  /** Makes blocks of twice as many entries wherever two go on alike; whether any do. */
  private static boolean join(long[] entries, int order) {
    boolean any = false;
    int half = 1 << order;
    for (int index = 0; index < entries.length; index += 2 * half) {
      long first = entries[index];
      long next = entries[index + half];
      if (MARKER.getInt(first) == order
          && MARKER.getInt(next) == order
          && canBeUniform(first, index, 1)
          && alike(first, next, order, 1)) {
        entries[index] = first + ONE_MORE;
        any = true;
      }
    }
    return any;
  }

  /** Stores an entry, without a marker, and brings those of the table up to date. */
  void write(long table, int index, long entry, int level) {
    memory.writeWord(at(table, index), entry);
    lowerAround(table, index);
    if (canBeUniform(entry, index, level)) {
      raise(table, index, level);
    }
  }

  /** Makes blocks of twice as many entries of those around an entry, up and up. */
  private void raise(long table, int index, int level) {
    for (int order = 0; order < TABLE_ORDER; order++) {
      long at = at(table, index & -2 << order);
      long first = memory.readWord(at);
      int marker = MARKER.getInt(first);
      if (marker < order || (marker == order && !goesOn(at, first, order, level))) {
        return;
      }
      if (marker == order) {
        memory.writeWord(at, first + ONE_MORE);
      }
    }
  }

  /** Whether the 2^order entries after those of a block go on as these do. */
  private boolean goesOn(long at, long first, int order, int level) {
    long next = memory.readWord(at + ((long) SecondStageEntry.BYTES << order));
    return MARKER.getInt(next) == order && alike(first, next, order, level);
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

  private static boolean canBeUniform(long entry, int index, int level) {
    return isAbsent(entry) || isCandidate(entry, index, level);
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
