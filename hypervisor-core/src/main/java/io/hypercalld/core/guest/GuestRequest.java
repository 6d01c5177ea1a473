package io.hypercalld.core.guest;

import io.hypercalld.core.bits.Word;

/**
 * An instruction's access to memory. Immutable.
 *
 * @param gpa guest-physical address of the first byte, aligned or not
 * @param size bytes: 1, 2, 4 or 8
 * @param data what is written or added; of no meaning for a read
 */
public record GuestRequest(int vcpu, Word gpa, int size, Operation op, Word data) {
  /** What the instruction does. */
  public enum Operation {
    READ,
    WRITE,
    /** Reads, adds and writes back. */
    ADD
  }

  /** As much of a number as the instruction moves. */
  long cut(long number) {
    return Word.low(size, number);
  }
}
