package io.hypercalld.core.interrupt;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** How a processor takes an interrupt. The encoding 3 is reserved, and 6 but for commands. */
public enum DeliveryMode {
  FIXED(0),
  LOWEST_PRIORITY(1),
  SMI(2),
  NMI(4),
  INIT(5),

  /** Of interrupt commands only. */
  START_UP(6),
  EXTINT(7);

  private static final List<Optional<DeliveryMode>> BY_ENCODING =
      IntStream.rangeClosed(0, 7)
          .mapToObj(
              encoding ->
                  Arrays.stream(values())
                      .filter(mode -> mode.encoding == encoding && mode != START_UP)
                      .findFirst())
          .toList();

  private final int encoding;

  DeliveryMode(int encoding) {
    this.encoding = encoding;
  }

  /** Three bits, the same in messages, redirection entries and remapping entries. */
  public int encoding() {
    return encoding;
  }

  /** The mode of an encoding in an interrupt command; empty where it is reserved there. */
  static Optional<DeliveryMode> ofCommand(int encoding) {
    return encoding == START_UP.encoding ? Optional.of(START_UP) : of(encoding);
  }

  /** The mode of an encoding of three bits; empty where it is reserved. */
  public static Optional<DeliveryMode> of(int encoding) {
    return BY_ENCODING.get(encoding);
  }
}
