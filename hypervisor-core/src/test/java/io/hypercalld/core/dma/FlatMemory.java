package io.hypercalld.core.dma;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Arrays;

/** Memory of a few MiB in which guest-physical addresses begin at 0. Confined to the test. */
final class FlatMemory implements KernelMemory {
  private final byte[] bytes;

  FlatMemory(int size) {
    this.bytes = new byte[size];
  }

  @Override
  public void copy(Word from, Word to, int length) {
    if (Math.max(from.value(), to.value()) + length > bytes.length) {
      throw Refusal.of(Errno.EFAULT, "there is no memory at %s or %s", from, to);
    }
    System.arraycopy(bytes, (int) from.value(), bytes, (int) to.value(), length);
  }

  void fill(long gpa, int length, int value) {
    Arrays.fill(bytes, (int) gpa, (int) gpa + length, (byte) value);
  }

  boolean holds(long gpa, int length, int value) {
    for (int i = 0; i < length; i++) {
      if (bytes[(int) gpa + i] != (byte) value) {
        return false;
      }
    }
    return true;
  }
}
