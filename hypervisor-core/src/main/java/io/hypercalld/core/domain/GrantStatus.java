package io.hypercalld.core.domain;

import java.util.Arrays;
import java.util.Locale;

/**
 * How one grant operation ended.
 *
 * @see "xen/include/public/grant_table.h, GNTST_*"
 */
public enum GrantStatus {
  OKAY(0),
  GENERAL_ERROR(-1),
  BAD_DOMAIN(-2),
  /** No such entry in the granter's table. */
  BAD_GNTREF(-3),
  BAD_HANDLE(-4),
  PERMISSION_DENIED(-8),
  /** The granted guest frame has no page to map. */
  BAD_PAGE(-9),
  /** What is to be copied is not within a page. */
  BAD_COPY_ARG(-10),
  /** The granted page is not there now; to be tried again. */
  EAGAIN(-12),
  /** No handle is left. */
  NO_SPACE(-13);

  private final int number;

  GrantStatus(int number) {
    this.number = number;
  }

  /** The status of a number that a guest sees. */
  public static GrantStatus of(int number) {
    return Arrays.stream(values())
        .filter(status -> status.number == number)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no status " + number));
  }

  /** The number that the guest sees. */
  public int number() {
    return number;
  }

  /** As Xen's header spells it: {@code GNTST_general_error}. */
  @Override
  public String toString() {
    return "GNTST_" + name().toLowerCase(Locale.ROOT);
  }
}
