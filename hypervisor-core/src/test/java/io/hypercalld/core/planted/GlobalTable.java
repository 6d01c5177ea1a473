package io.hypercalld.core.planted;

/** Final, and yet anybody can write to it. */
public final class GlobalTable {
  static final long[] ENTRIES = new long[512];

  private GlobalTable() {}
}
