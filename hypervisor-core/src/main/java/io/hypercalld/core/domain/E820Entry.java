package io.hypercalld.core.domain;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * A range of addresses and what firmware says that it is. Immutable.
 *
 * @param size bytes
 * @param type RAM 1, reserved 2, and others
 * @see "xen/arch/x86/include/asm/e820.h"
 */
public record E820Entry(Word addr, Word size, long type) implements Digestible {
  public static final long RAM = 1;
  public static final long RESERVED = 2;

  /** The most entries of a domain's map. */
  public static final int MOST = 1024;

  @Override
  public void digest(StateDigest digest) {
    digest.put(addr.value()).put(size.value()).put(type);
  }
}
