package io.hypercalld.core.p2m;

import java.util.Locale;

/** A kind of change that a P2M is asked for. */
public enum P2mUpdate {
  MAP(0),
  UNMAP(1),
  CHANGE_TYPE(2),
  /** A larger leaf is broken into a table on the way to another change. */
  SPLIT(3);

  private final int number;

  P2mUpdate(int number) {
    this.number = number;
  }

  /** Counted from 0, without gaps. */
  int number() {
    return number;
  }

  /** As metrics spell it: {@code change_type}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
