package io.hypercalld.ioreq.page;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code IOREQ_TYPE_*}: what a request is about. */
public enum RequestType {
  /** A port of the processor's I/O space. */
  PIO(0),
  /** Memory without RAM behind it, or whose writes are somebody's. */
  COPY(1),
  /** Configuration space of a PCI function: the address is {@code sbdf << 32 | register}. */
  PCI_CONFIG(2),
  /** The guest's clock was set. */
  TIMEOFFSET(7),
  /** Mappings of guest memory are to be dropped. */
  INVALIDATE(8);

  private final int number;

  RequestType(int number) {
    this.number = number;
  }

  /** The number that a slot holds. */
  public int number() {
    return number;
  }

  /** The type of the number; empty where there is none. */
  public static Optional<RequestType> ofNumber(int number) {
    return Stream.of(values()).filter(type -> type.number == number).findFirst();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
