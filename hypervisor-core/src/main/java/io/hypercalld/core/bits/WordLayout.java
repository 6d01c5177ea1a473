package io.hypercalld.core.bits;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A 64-bit word whose named fields cover every bit exactly once. Immutable.
 *
 * <p>The covering is proven when the layout is built, which for a {@code static final} one is class
 * initialisation: a bit forgotten or named twice never gets as far as a test.
 */
public final class WordLayout {
  private final String name;
  private final List<BitField> fields;
  private final long reservedMask;

  private WordLayout(String name, List<BitField> fields, long reservedMask) {
    this.name = name;
    this.fields = fields;
    this.reservedMask = reservedMask;
  }

  /**
   * A layout of the given fields, in any order.
   *
   * @throws IllegalArgumentException where two fields share a bit or a bit belongs to none
   */
  public static WordLayout covering(String name, BitField... fields) {
    long covered = 0;
    long reserved = 0;
    for (BitField field : fields) {
      if ((covered & field.mask()) != 0) {
        throw new IllegalArgumentException(name + ": " + field + " overlaps another field");
      }
      covered |= field.mask();
      reserved |= field.isReserved() ? field.mask() : 0;
    }
    if (covered != -1L) {
      throw new IllegalArgumentException(
          name + ": no field names bit " + Long.numberOfTrailingZeros(~covered));
    }
    return new WordLayout(name, List.of(fields), reserved);
  }

  public String name() {
    return name;
  }

  /** The bits that must be zero. */
  public long reservedMask() {
    return reservedMask;
  }

  /** Whether a reserved bit of the word is set. */
  public boolean hasReservedBits(long word) {
    return (word & reservedMask) != 0;
  }

  /** Name and value of every field that is neither reserved nor ignored, lowest bit first. */
  public Map<String, Word> decode(long word) {
    Map<String, Word> values = new LinkedHashMap<>();
    fields.stream()
        .filter(field -> !field.isReserved() && !field.name().equals("ignored"))
        .sorted((a, b) -> Integer.compare(a.lsb(), b.lsb()))
        .forEach(field -> values.put(field.name(), new Word(field.get(word))));
    return values;
  }

  @Override
  public String toString() {
    return name;
  }
}
