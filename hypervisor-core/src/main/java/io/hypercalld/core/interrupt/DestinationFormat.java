package io.hypercalld.core.interrupt;

import io.hypercalld.core.bits.BitField;

/**
 * How large the destination is that a message or a redirection entry carries which nothing remaps.
 *
 * @see "xen/include/public/arch-x86/cpuid.h, XEN_HVM_CPUID_EXT_DEST_ID; spec/documents.md S1-D16"
 */
public enum DestinationFormat {
  /** 8 bits. */
  PLAIN(0),

  /** 15 bits: 7 more where remappable messages have the low part of their handle. */
  EXTENDED(7);

  private static final BitField ADDRESS = BitField.bits("destination", 19, 12);
  private static final BitField ADDRESS_MORE = BitField.bits("extended destination", 11, 5);
  private static final BitField ENTRY = BitField.bits("destination", 63, 56);
  private static final BitField ENTRY_MORE = BitField.bits("extended destination", 55, 49);
  private static final int PLAIN_BITS = 8;

  private final int moreBits;

  DestinationFormat(int moreBits) {
    this.moreBits = moreBits;
  }

  /** The destination that a message's address names. */
  public int ofAddress(long address) {
    return destination(ADDRESS.getInt(address), ADDRESS_MORE.getInt(address));
  }

  /** The destination that a redirection entry names. */
  public int ofEntry(long entry) {
    return destination(ENTRY.getInt(entry), ENTRY_MORE.getInt(entry));
  }

  private int destination(int low, int high) {
    return low | (high & ((1 << moreBits) - 1)) << PLAIN_BITS;
  }

  /** The bits of a message's address for as much of a destination as fits. */
  public long inAddress(int destination) {
    return ADDRESS.of(low(destination)) | ADDRESS_MORE.of(high(destination));
  }

  /** The bits of a redirection entry for as much of a destination as fits. */
  public long inEntry(int destination) {
    return ENTRY.of(low(destination)) | ENTRY_MORE.of(high(destination));
  }

  private static int low(int destination) {
    return destination & ((1 << PLAIN_BITS) - 1);
  }

  private int high(int destination) {
    return (destination >>> PLAIN_BITS) & ((1 << moreBits) - 1);
  }
}
