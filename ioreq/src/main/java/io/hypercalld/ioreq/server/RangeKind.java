package io.hypercalld.ioreq.server;

import java.util.Locale;
import java.util.Optional;

/** {@code XEN_DMOP_IO_RANGE_*}, in the order of their numbers: what a range is of. */
public enum RangeKind {
  PORT,
  MEMORY,
  /** Of PCI functions, each by {@code segment << 16 | bus << 8 | device << 3 | function}. */
  PCI;

  /** The kind of the number; empty where there is none. */
  public static Optional<RangeKind> ofNumber(long number) {
    return number < 0 || number >= values().length
        ? Optional.empty()
        : Optional.of(values()[(int) number]);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
