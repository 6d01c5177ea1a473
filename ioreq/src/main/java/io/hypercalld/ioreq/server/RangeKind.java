package io.hypercalld.ioreq.server;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code XEN_DMOP_IO_RANGE_*}, in the order of their numbers: what a range is of. */
public enum RangeKind {
  PORT(0),
  MEMORY(1),
  /** Of PCI functions, each by {@code segment << 16 | bus << 8 | device << 3 | function}. */
  PCI(2);

  private final int number;

  RangeKind(int number) {
    this.number = number;
  }

  /** The number by which hypercalls name it. */
  public int number() {
    return number;
  }

  /** The kind of the number; empty where there is none. */
  public static Optional<RangeKind> ofNumber(long number) {
    return Stream.of(values()).filter(kind -> kind.number == number).findFirst();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
