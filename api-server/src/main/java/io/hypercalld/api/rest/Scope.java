package io.hypercalld.api.rest;

import java.util.Locale;

/** How much a token lets its bearer do. */
public enum Scope {
  /** Look at everything, change nothing. */
  READ,
  /** What the token's domain does itself: its hypercalls, and its instructions' accesses. */
  GUEST,
  /** What the device model of one domain does for it, and no other hypercall. */
  DM,
  /** Everything. */
  CONTROL;

  /** As a token file spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
