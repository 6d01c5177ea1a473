package io.hypercalld.ioreq.page;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.ranges.NumberRange;

/**
 * A request to an emulator. Immutable.
 *
 * @param address of the element that is accessed first
 * @param data what is written, or the guest-physical address of the first of as many elements in
 *     RAM
 * @param count elements, more than one for a repeated instruction
 * @param size bytes of an element: 1, 2, 4 or 8
 * @param flags which way and how
 */
public record IoRequest(
    RequestType type, long address, long data, long count, int size, Flags flags) {
  /**
   * Which way bytes go and how.
   *
   * @param reads whether the emulator is asked for data
   * @param pointer whether {@code data} is an address
   * @param down whether each element lies below the one before: the direction flag
   */
  public record Flags(boolean reads, boolean pointer, boolean down) {
    /** A single element that goes through the request itself. */
    public static Flags single(boolean reads) {
      return new Flags(reads, false, false);
    }
  }

  /** One element that goes through the request itself. */
  public static IoRequest single(
      RequestType type, long address, int size, boolean reads, long data) {
    return new IoRequest(type, address, data, 1, size, Flags.single(reads));
  }

  /** The same request about something else. */
  public IoRequest at(RequestType otherType, long otherAddress) {
    return new IoRequest(otherType, otherAddress, data, count, size, flags);
  }

  /**
   * First to last byte that the whole of a memory access touches.
   *
   * @see "xen/include/xen/ioreq.h, ioreq_mmio_first_byte and ioreq_mmio_last_byte"
   */
  public NumberRange span() {
    long others = (count - 1) * size;
    long first = flags.down ? address - others : address;
    return new NumberRange(first, first + others + size - 1);
  }

  /** As much of a number as an element of the request holds. */
  public long cut(long number) {
    return Word.low(size, number);
  }
}
