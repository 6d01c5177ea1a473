package io.hypercalld.core.p2m;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * How memory may be cached, by x86's numbers.
 *
 * @see "SDM Vol. 3, 13.12.2; xen/include/public/hvm/dm_op.h, XEN_DMOP_MEM_CACHEATTR_*"
 */
public enum CacheType {
  UC(0),
  WC(1),
  WT(4),
  WP(5),
  WB(6),
  /** Uncached unless the processor's ranges say otherwise; extended page tables have only UC. */
  UCM(7);

  private final int number;

  CacheType(int number) {
    this.number = number;
  }

  public static Optional<CacheType> ofNumber(long number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /** Whether writes reach memory before others look: what only devices need. */
  public boolean isForDevices() {
    return this == UC || this == UCM || this == WC;
  }

  /** What an entry's memory type says. */
  int inEntry() {
    return this == UCM ? UC.number : number;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
