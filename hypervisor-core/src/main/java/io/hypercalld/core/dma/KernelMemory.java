package io.hypercalld.core.dma;

import io.hypercalld.core.bits.Word;

/** A guest's memory as its kernel's processors copy it. */
public interface KernelMemory {
  /**
   * Copies bytes between two buffers of the kernel's.
   *
   * @param from guest-physical address of the first byte
   * @param to guest-physical address of the first byte
   * @param length bytes, at least 1
   * @throws io.hypercalld.core.errno.Refusal EFAULT where a page is not memory that may be read or
   *     written. Nothing changed
   */
  void copy(Word from, Word to, int length);
}
