package io.hypercalld.core.p2m;

/**
 * Entries of consecutive leaves. Immutable.
 *
 * @param step what is added from one to the next
 */
record Leaves(long first, long step) {
  static final Leaves EMPTY = new Leaves(P2mEntry.EMPTY, 0);

  long at(long index) {
    return first + index * step;
  }
}
