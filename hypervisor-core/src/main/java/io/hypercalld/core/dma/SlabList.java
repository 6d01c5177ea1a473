package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.OptionalInt;

/**
 * Which slabs of a bounce pool are free. Confined to the machine thread.
 *
 * <p>Segments of {@link #SEGMENT} slabs are contiguous for devices; no allocation crosses the end
 * of one.
 *
 * @see "Linux lib/swiotlb.c, io_tlb_list"
 */
/*
 * free[i] says how many slabs from i on are free within i's segment, 0 where i is taken. A search
 * starts behind the last allocation and goes once around, so that it usually ends at its first step.
 */
final class SlabList implements Digestible {
  /** Slabs of a segment (IO_TLB_SEGSIZE). */
  static final int SEGMENT = 128;

  private final int[] free;
  private int next;
  private int used;
  private int highWater;

  SlabList(int slabs) {
    this.free = new int[slabs];
    for (int slab = 0; slab < slabs; slab++) {
      free[slab] = SEGMENT - slab % SEGMENT;
    }
  }

  int size() {
    return free.length;
  }

  int used() {
    return used;
  }

  /** Most that were taken at once. */
  int highWater() {
    return highWater;
  }

  /** What has the next search begin where it would now, and the most taken be what it is now. */
  Runnable restoring() {
    int nextNow = next;
    int highWaterNow = highWater;
    return () -> {
      next = nextNow;
      highWater = highWaterNow;
    };
  }

  void resetHighWater() {
    highWater = used;
  }

  /**
   * Finds adjacent free slabs of one segment.
   *
   * @param stride the first is a multiple of it
   * @return the first; empty where there are not so many in a row
   */
  OptionalInt find(int count, int stride) {
    int start = (next + stride - 1) / stride * stride;
    start = start >= free.length ? 0 : start;
    int slab = start;
    do {
      if (free[slab] >= count) {
        return OptionalInt.of(slab);
      }
      slab += stride;
      slab = slab >= free.length ? 0 : slab;
    } while (slab != start);
    return OptionalInt.empty();
  }

  /** Takes slabs that were found. */
  void take(int first, int count) {
    for (int slab = first; slab < first + count; slab++) {
      free[slab] = 0;
    }
    recount(first, 0);
    next = first + count < free.length ? first + count : 0;
    used += count;
    highWater = Math.max(highWater, used);
  }

  /** Gives them back; they were taken together. */
  void release(int first, int count) {
    int end = first + count;
    int behind = end % SEGMENT == 0 ? 0 : free[end];
    for (int slab = end - 1; slab >= first; slab--) {
      free[slab] = ++behind;
    }
    recount(first, behind);
    used -= count;
  }

  /** Has the free slabs right before one know how many follow. */
  private void recount(int slab, int following) {
    int run = following;
    for (int before = slab - 1; (before + 1) % SEGMENT != 0 && free[before] != 0; before--) {
      free[before] = ++run;
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("slabs").put(free.length).put(next).put(used).put(highWater);
    for (int run : free) {
      digest.put(run);
    }
  }
}
