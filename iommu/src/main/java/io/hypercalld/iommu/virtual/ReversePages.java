package io.hypercalld.iommu.virtual;

import io.hypercalld.core.memory.PageWord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Which pages lead to a guest frame. Confined to the machine thread.
 *
 * <p>The pages of a block of 512 are known by the slot that the block is given, and where they lead
 * by the block's words, which are their owner's.
 */
/*
 * A hash table whose keys are not kept: the blocks have them. So a page that comes to lead elsewhere
 * is added there and left where it was, and changing one touches one word beside those that are
 * written one after the other. What has been left behind is dropped when its bucket is looked at, and
 * all of it when the notes are full, by beginning anew.
 *
 * A bucket is shared by some pages: all buckets together are small enough to stay in a processor's
 * cache while a whole table is noted, which is what makes that fast, and looking at one stays short.
 */
final class ReversePages {
  /** Where there is no note, and where a bucket's notes end. */
  static final int NOWHERE = 0;

  private static final int SHIFT = 9;
  private static final int LEAST = 1 << 10;

  /** Pages to a bucket, at least, once there are so many. */
  private static final int SHARING = 8;

  /** The words of a block that there is not. */
  private static final long[] NONE = new long[CapturedTable.PAGES];

  /** The last note on guest frames whose numbers end alike. */
  private int[] buckets = new int[LEAST];

  /** By note: slot and page in one number, and the note before it in its bucket. */
  private int[] pages = new int[3 * LEAST];

  private int[] earlier = new int[3 * LEAST];
  private int last;

  /** By slot, which count from 1: the first page of its block. */
  private long[] firsts = new long[1];

  /** By slot: where its pages lead, as {@link PageWord} has it. */
  private long[][] words = {NONE};

  private final List<Integer> freeSlots = new ArrayList<>();
  private int slots;

  /** A slot for a block of pages, whose words are looked at from now on. */
  int open(long first, long[] block) {
    int slot = freeSlots.isEmpty() ? ++slots : freeSlots.removeLast();
    if (slot == firsts.length) {
      firsts = Arrays.copyOf(firsts, 2 * slot);
      words = Arrays.copyOf(words, 2 * slot);
    }
    firsts[slot] = first;
    words[slot] = block;
    return slot;
  }

  /** None of the slot's pages leads anywhere any more. */
  void close(int slot) {
    words[slot] = NONE;
    freeSlots.add(slot);
  }

  /** Whether there is no room for the notes of another block. */
  boolean isFull() {
    return last + CapturedTable.PAGES >= pages.length;
  }

  /** Forgets all; there will be room for the notes of so many pages, and of as many changes. */
  void clear(long room) {
    int size = Integer.highestOneBit((int) Math.max(LEAST, 2 * room - 1));
    if (2 * size + LEAST != pages.length) {
      buckets = new int[Math.max(LEAST, size / SHARING)];
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

  private int bucket(long gfn) {
    return (int) (gfn ^ (gfn >>> (Integer.SIZE - SHIFT))) & (buckets.length - 1);
  }

  /** Names all pages that lead to guest frames of a range, in no order, some of them twice. */
  void forEach(long gfn, long frames, LongConsumer action) {
    long end = gfn + Math.min(frames, buckets.length);
    for (long frame = gfn; frame < end; frame++) {
      int bucket = bucket(frame);
      int before = NOWHERE;
      for (int note = buckets[bucket]; note != NOWHERE; note = earlier[note]) {
        long word = word(note);
        if (word != PageWord.ABSENT && bucket(PageWord.frame(word)) == bucket) {
          before = note;
          if (PageWord.frame(word) - gfn >= 0 && PageWord.frame(word) - gfn < frames) {
            action.accept(firsts[slot(note)] + page(note));
          }
        } else if (before == NOWHERE) {
          buckets[bucket] = earlier[note];
        } else {
          earlier[before] = earlier[note];
        }
      }
    }
  }

  private long word(int note) {
    return words[slot(note)][page(note)];
  }

  private int slot(int note) {
    return pages[note] >>> SHIFT;
  }

  private int page(int note) {
    return pages[note] & (CapturedTable.PAGES - 1);
  }
}
