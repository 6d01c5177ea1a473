package io.hypercalld.iommu.virtual;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongToIntFunction;

/**
 * Which pages may lead to a guest frame. Confined to the machine thread.
 *
 * <p>The pages of a block of 512 are known by the slot that the block is given.
 */
/*
 * A hash table whose keys are not kept: whoever asks knows where each page leads and passes over
 * what leads elsewhere. So a page that comes to lead elsewhere is added there and left where it was,
 * and changing one touches one word beside those that are written one after the other. What has been
 * left behind is dropped when its bucket is looked at, and all of it when the notes are full, by
 * beginning anew.
 */
final class ReversePages {
  /** Where there is no note, and where a bucket's notes end. */
  static final int NOWHERE = 0;

  private static final int SHIFT = 9;
  private static final int LEAST = 1 << 10;

  /** The last note on guest frames whose numbers end alike. */
  private int[] buckets = new int[LEAST];

  /** By note: slot and page in one number, and the note before it in its bucket. */
  private int[] pages = new int[3 * LEAST];

  private int[] earlier = new int[3 * LEAST];
  private int last;

  /** By slot, which count from 1: the first page of its block. */
  private long[] firsts = new long[1];

  private final List<Integer> freeSlots = new ArrayList<>();
  private int slots;

  /** A slot for a block of pages. */
  int open(long first) {
    int slot = freeSlots.isEmpty() ? ++slots : freeSlots.removeLast();
    if (slot == firsts.length) {
      firsts = Arrays.copyOf(firsts, 2 * slot);
    }
    firsts[slot] = first;
    return slot;
  }

  /** None of the slot's pages leads anywhere any more. */
  void close(int slot) {
    freeSlots.add(slot);
  }

  /** Whether there is no room for the notes of another block. */
  boolean isFull() {
    return last + CapturedTable.PAGES >= pages.length;
  }

  /** Forgets all; there will be room for the notes of so many pages, and of as many changes. */
  void clear(long room) {
    int size = Integer.highestOneBit((int) Math.max(LEAST, 2 * room - 1));
    if (size != buckets.length) {
      buckets = new int[size];
      pages = new int[2 * size + LEAST];
      earlier = new int[2 * size + LEAST];
    }
    Arrays.fill(buckets, NOWHERE);
    last = 0;
  }

  /** A page leads to a guest frame from now on. */
  void add(int slot, int page, long gfn) {
    int bucket = bucket(gfn);
    last++;
    pages[last] = slot << SHIFT | page;
    earlier[last] = buckets[bucket];
    buckets[bucket] = last;
  }

  /** Where notes on a guest frame are. */
  int bucket(long gfn) {
    return (int) (gfn ^ (gfn >>> (Integer.SIZE - SHIFT))) & (buckets.length - 1);
  }

  /**
   * Names all pages that lead to guest frames of a range, and others, in no order.
   *
   * @param where the bucket of where a page leads; below 0 where it leads nowhere
   */
  void forEach(long gfn, long frames, LongToIntFunction where, LongConsumer action) {
    long end = gfn + Math.min(frames, buckets.length);
    for (long frame = gfn; frame < end; frame++) {
      int bucket = bucket(frame);
      int before = NOWHERE;
      for (int note = buckets[bucket]; note != NOWHERE; note = earlier[note]) {
        long dfn = firsts[pages[note] >>> SHIFT] + (pages[note] & (CapturedTable.PAGES - 1));
        if (where.applyAsInt(dfn) == bucket) {
          action.accept(dfn);
          before = note;
        } else if (before == NOWHERE) {
          buckets[bucket] = earlier[note];
        } else {
          earlier[before] = earlier[note];
        }
      }
    }
  }
}
