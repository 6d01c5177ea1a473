package io.hypercalld.iommu.driver;

import static io.hypercalld.core.bits.BitField.bits;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.memory.MachineMemory;
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

  /** What hardware sees of an entry: all but the marker. */
  static final long ENTRY = ~MARKER_MASK;

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
    return entry & ENTRY;
  }

  /** Makes a new table one of 512 absent entries. */
  void clear(long table) {
    memory.writeWords(table, UNIFORM, UNIFORM.length);
  }

  /** Makes a new table one of 512 leaves, together one aligned larger one. */
  void fill(long table, WordProgression leaves) {
    memory.fillWords(table, SecondStageEntry.ENTRIES, leaves);
    memory.setBits(table, UNIFORM, 0, UNIFORM.length);
  }

  /** Whether all 512 entries of the table are alike. */
  boolean isUniform(long table) {
    return MARKER.getInt(memory.readWord(table)) == TABLE_ORDER;
  }

  /**
   * Brings the markers up to date after {@code count} entries from {@code index} on were written,
   * without any: one, or holes, or leaves of consecutive addresses.
   */
  void update(long table, int index, int count, int level) {
    long entry = memory.readWord(at(table, index));
    lowerAround(table, index);
    if (SecondStageEntry.isPresent(entry) && !isCandidate(entry, index, level)) {
      return;
    }
    if (count > 1) {
      memory.setBits(at(table, index), UNIFORM, index, count);
      lowerAround(table, index + count);
      raise(table, index + count - 1, level);
    }
    raise(table, index, level);
  }

  /** Makes blocks of twice as many entries of those around an entry, up and up. */
  private void raise(long table, int index, int level) {
    for (int order = 0; order < TABLE_ORDER; order++) {
      int block = index & -2 << order;
      int marker = markerOf(table, block);
      if (marker == order && canDouble(table, block, order, level)) {
        mark(table, block, order + 1);
      } else if (marker <= order) {
        return;
      }
    }
  }

  /** Whether the 2^order entries after those of a block go on as these do. */
  private boolean canDouble(long table, int block, int order, int level) {
    int next = block + (1 << order);
    return markerOf(table, next) == order
        && alike(memory.readWord(at(table, block)), memory.readWord(at(table, next)), order, level);
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
