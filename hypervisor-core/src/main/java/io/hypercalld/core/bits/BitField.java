package io.hypercalld.core.bits;

/**
 * A run of bits in a 64-bit word, named as its specification names it. Immutable.
 *
 * <p>Bit numbers are inclusive on both ends, most significant first, as manuals print them. Kept in
 * a {@code static final} field, {@link #get} and {@link #put} compile to the literal shift and
 * mask: a record's components are constants to the compiler, the fields of a class are not.
 *
 * @param msb number of the highest bit
 * @param lsb number of the lowest bit
 * @param isReserved whether the bits must be zero, as {@link #reserved} declares
 */
public record BitField(String name, int msb, int lsb, boolean isReserved) {

  public BitField {
    if (lsb < 0 || msb > 63 || lsb > msb) {
      throw new IllegalArgumentException(
          name + ": no field " + msb + ":" + lsb + " in a 64-bit word");
    }
  }

  /** The field {@code msb:lsb}, both inclusive. */
  public static BitField bits(String name, int msb, int lsb) {
    return new BitField(name, msb, lsb, false);
  }

  /** The single bit {@code index}. */
  public static BitField bit(String name, int index) {
    return new BitField(name, index, index, false);
  }

  /** Bits that must be zero: they make up {@link WordLayout#reservedMask}. */
  public static BitField reserved(int msb, int lsb) {
    return new BitField("reserved", msb, lsb, true);
  }

  /** Bits that hardware ignores and software may use. */
  public static BitField ignored(int msb, int lsb) {
    return new BitField("ignored", msb, lsb, false);
  }

  /** Number of bits. */
  public int width() {
    return msb - lsb + 1;
  }

  /** The field's bits in place. */
  public long mask() {
    return max() << lsb;
  }

  /** The largest value that fits, read as unsigned. */
  public long max() {
    return -1L >>> (63 - (msb - lsb));
  }

  /** The field's value, shifted down to bit 0. */
  public long get(long word) {
    return (word >>> lsb) & max();
  }

  /** The field's value as an {@code int}: for fields of at most 31 bits. */
  public int getInt(long word) {
    return (int) get(word);
  }

  /** Whether any bit of the field is set. */
  public boolean isSet(long word) {
    return (word & mask()) != 0;
  }

  /** The field's bits of the word, left in place: an address whose low bits are other fields. */
  public long inPlace(long word) {
    return word & mask();
  }

  /**
   * The word with this field replaced.
   *
   * @throws IllegalArgumentException where {@code value} has bits beyond the field: it is never cut
   */
  public long put(long word, long value) {
    return (word & ~mask()) | of(value);
  }

  /**
   * A word that holds {@code value} in this field and zero elsewhere.
   *
   * @throws IllegalArgumentException where {@code value} has bits beyond the field
   */
  public long of(long value) {
    if ((value & ~max()) != 0) {
      throw overflow(value);
    }
    return value << lsb;
  }

  /** The word with every bit of the field set. */
  public long set(long word) {
    return word | mask();
  }

  /** The word with every bit of the field clear. */
  public long clear(long word) {
    return word & ~mask();
  }

  private IllegalArgumentException overflow(long value) {
    return new IllegalArgumentException(
        "0x" + Long.toHexString(value) + " does not fit " + this + " of " + width() + " bits");
  }

  @Override
  public String toString() {
    return msb == lsb ? name + "[" + msb + "]" : name + "[" + msb + ":" + lsb + "]";
  }
}
