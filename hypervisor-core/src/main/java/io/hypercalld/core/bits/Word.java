package io.hypercalld.core.bits;

/** A number that people read in hexadecimal: a register, a table entry, an address. Immutable. */
public record Word(long value) {
  /** The low {@code bytes} bytes of a number, at most 8. */
  public static long low(int bytes, long number) {
    return bytes == Long.BYTES ? number : number & ((1L << (bytes * Byte.SIZE)) - 1);
  }

  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
