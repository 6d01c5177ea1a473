package io.hypercalld.core.bits;

/** A number that people read in hexadecimal: a register, a table entry, an address. Immutable. */
public record Word(long value) {
  @Override
  public String toString() {
    return "0x" + Long.toHexString(value);
  }
}
