package io.hypercalld.iommu.unit;

import java.util.List;

/**
 * What of a unit outlives its machine: registers, and what it has latched of them. What it
 * remembers of tables does not. Immutable.
 *
 * @param interruptTable IRTA as it was when the table pointer was set; 0 where it was not
 * @param nextFault index of the fault record that is written next
 * @param words of the register window from its start, 32 bits each, as hardware sees them
 */
public record UnitState(long interruptTable, int nextFault, List<Integer> words) {
  public UnitState {
    words = List.copyOf(words);
  }

  /** The 32 bits at an offset. */
  public int word(int offset) {
    return words.get(offset / Integer.BYTES);
  }

  /** The 64 bits at an offset. */
  public long doubleWord(int offset) {
    return Integer.toUnsignedLong(word(offset))
        | Integer.toUnsignedLong(word(offset + Integer.BYTES)) << Integer.SIZE;
  }
}
