package io.hypercalld.ioreq.server;

import io.hypercalld.core.ranges.NumberRange;
import java.util.Arrays;

/**
 * Which servers have each number of one kind: all numbers, cut wherever that changes, so that a
 * look-up costs a search at most, and nearly nothing where there was one before, however many
 * servers there are. It follows from their ranges and is no state of its own. Confined to the
 * machine thread.
 *
 * <p>As a server's ranges do not touch, it has numbers within one range if it has each of them.
 */
final class RangeOwners {
  /** All numbers that there are. */
  static final NumberRange EVERYTHING = new NumberRange(0, -1);

  /** A power of two, as is every later one. */
  private static final int FIRST_ROOM = 16;

  private static final int PAGE_SHIFT = 12;

  /** First numbers of the segments, ascending, the first of them 0. */
  private long[] starts = new long[FIRST_ROOM];

  /** For each segment the servers that have it, a bit for each by its id. */
  private byte[] owners = new byte[FIRST_ROOM];

  /** For numbers with the same remainder where one of them was found: a guess to be checked. */
  private short[] guesses = new short[FIRST_ROOM];

  private int segments = 1;

  /** The servers that have all of a range, a bit for each by its id. */
  int having(NumberRange range) {
    int segment = find(range.first());
    int found = owners[segment];
    while (found != 0
        && ++segment < segments
        && Long.compareUnsigned(starts[segment], range.last()) <= 0) {
      found &= owners[segment];
    }
    return found & 0xff;
  }

  /** The server has a range from now on. */
  void give(NumberRange range, int server) {
    int from = cutFrom(range);
    int to = cutAfter(range);
    for (int i = from; i < to; i++) {
      owners[i] |= (byte) (1 << server);
    }
    join();
  }

  /** The server has none of a range any more. */
  void take(NumberRange range, int server) {
    int from = cutFrom(range);
    int to = cutAfter(range);
    for (int i = from; i < to; i++) {
      owners[i] &= (byte) ~(1 << server);
    }
    join();
  }

  /** The segment of a number. */
  private int find(long number) {
    int slot = (int) ((number >>> PAGE_SHIFT) ^ number) & (guesses.length - 1);
    int guess = guesses[slot];
    if (!isIn(guess, number)) {
      guess = search(number);
      guesses[slot] = (short) guess;
    }
    return guess;
  }

  private boolean isIn(int segment, long number) {
    return segment < segments
        && Long.compareUnsigned(starts[segment], number) <= 0
        && (segment + 1 == segments || Long.compareUnsigned(number, starts[segment + 1]) < 0);
  }

  /** Without branches, as those would be foreseen wrong half the time. */
  private int search(long number) {
    int low = 0;
    for (int left = segments; left > 1; left -= left >>> 1) {
      int middle = low + (left >>> 1);
      low = Long.compareUnsigned(starts[middle], number) <= 0 ? middle : low;
    }
    return low;
  }

  private int cutFrom(NumberRange range) {
    return cut(range.first());
  }

  private int cutAfter(NumberRange range) {
    return range.last() == -1 ? segments : cut(range.last() + 1);
  }

  /** Has a segment begin at the number, and says which. */
  private int cut(long number) {
    int segment = find(number);
    if (starts[segment] == number) {
      return segment;
    }
    if (segments == starts.length) {
      starts = Arrays.copyOf(starts, 2 * segments);
      owners = Arrays.copyOf(owners, 2 * segments);
      guesses = new short[2 * segments];
    }
    int moved = segments - segment - 1;
    System.arraycopy(starts, segment + 1, starts, segment + 2, moved);
    System.arraycopy(owners, segment, owners, segment + 1, moved + 1);
    starts[segment + 1] = number;
    segments++;
    return segment + 1;
  }

  /** Makes one segment of neighbours that the same servers have. */
  private void join() {
    int kept = 1;
    for (int i = 1; i < segments; i++) {
      if (owners[i] != owners[kept - 1]) {
        starts[kept] = starts[i];
        owners[kept] = owners[i];
        kept++;
      }
    }
    segments = kept;
  }
}
