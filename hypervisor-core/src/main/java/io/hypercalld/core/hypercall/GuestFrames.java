package io.hypercalld.core.hypercall;

import io.hypercalld.core.p2m.Gfn;
import java.util.List;

/**
 * A guest's array of frame numbers. Immutable.
 *
 * <p>In JSON an array, or {@code {"first":"0x0","count":4096}} for consecutive numbers: a million
 * extents need not be a million objects.
 */
public sealed interface GuestFrames {
  /** Elements of the array. */
  long count();

  /** The element; {@code index} is less than {@link #count}. */
  long at(long index);

  /** Numbers one by one. */
  record Listed(List<Gfn> frames) implements GuestFrames {
    public Listed {
      frames = List.copyOf(frames);
    }

    @Override
    public long count() {
      return frames.size();
    }

    @Override
    public long at(long index) {
      return frames.get(Math.toIntExact(index)).value();
    }
  }

  /** {@code count} numbers from {@code first} on; a negative count stands for 2^63 and more. */
  record Consecutive(Gfn first, long count) implements GuestFrames {
    @Override
    public long at(long index) {
      return first.value() + index;
    }
  }

  static GuestFrames of(Gfn... frames) {
    return new Listed(List.of(frames));
  }

  static GuestFrames consecutive(Gfn first, long count) {
    return new Consecutive(first, count);
  }
}
