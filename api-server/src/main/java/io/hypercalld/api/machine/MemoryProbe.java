package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;

/** Reads and writes machine memory that is RAM, all bytes or none. */
public final class MemoryProbe {
  private final MachineMemory memory;

  MemoryProbe(MachineMemory memory) {
    this.memory = memory;
  }

  /**
   * Bytes of machine memory.
   *
   * @throws Refusal EFAULT where any of them is not RAM
   */
  public byte[] read(Word maddr, int length) {
    requireRam(maddr, length);
    byte[] bytes = new byte[length];
    memory.read(maddr.value(), bytes, 0, length);
    return bytes;
  }

  /**
   * Overwrites machine memory.
   *
   * @throws Refusal EFAULT where any of the bytes is not RAM
   */
  void write(Word maddr, byte[] bytes) {
    requireRam(maddr, bytes.length);
    memory.write(maddr.value(), bytes, 0, bytes.length);
  }

  private void requireRam(Word maddr, int length) {
    if (!memory.isRam(maddr.value(), length)) {
      throw Refusal.of(
          Errno.EFAULT, "%s and the %d bytes from there on are not all RAM", maddr, length);
    }
  }
}
