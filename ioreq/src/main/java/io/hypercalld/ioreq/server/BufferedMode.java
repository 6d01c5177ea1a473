package io.hypercalld.ioreq.server;

import java.util.Locale;
import java.util.Optional;

/** {@code HVM_IOREQSRV_BUFIOREQ_*}, in the order of their numbers: how a server's ring is kept. */
public enum BufferedMode {
  /** It has none. */
  OFF,
  /** Its pointers run on for ever. */
  LEGACY,
  /** Its pointers are brought back by an exchange that the emulator has to expect. */
  ATOMIC;

  /** The mode of the number; empty where there is none. */
  public static Optional<BufferedMode> ofNumber(long number) {
    return number < 0 || number >= values().length
        ? Optional.empty()
        : Optional.of(values()[(int) number]);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
