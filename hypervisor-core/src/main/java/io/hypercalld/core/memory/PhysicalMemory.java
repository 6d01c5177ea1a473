package io.hypercalld.core.memory;

/**
 * Memory as hardware addresses it: the machine's, or what a guest takes for the machine's.
 *
 * <p>Accesses to anything but RAM are programming errors: hardware asks {@link #isRam} first.
 */
public interface PhysicalMemory {
  /** Whether the frame that holds the address is RAM. */
  boolean isRam(long address);

  /** Whether all of {@code length} bytes at the address are RAM; false where the range wraps. */
  boolean isRam(long address, long length);

  /** The 64-bit word at the address, a multiple of 8. */
  long readWord(long address);

  /** The 64-bit word at the address, a multiple of 8; zero where there is no RAM. */
  default long readIfRam(long address) {
    return isRam(address) ? readWord(address) : 0;
  }

  /**
   * Reads some of the 512 words of a frame.
   *
   * @param frame the frame's first address
   * @param from index of the first word, {@code to} of the first one after the last
   */
  default void readWords(long frame, long[] into, int from, int to) {
    for (int index = from; index < to; index++) {
      into[index] = readWord(frame + (long) index * Long.BYTES);
    }
  }

  /** Stores a 64-bit word at the address, a multiple of 8. */
  void writeWord(long address, long value);

  /** Stores a 32-bit word at the address, a multiple of 4. */
  void writeInt(long address, int value);
}
