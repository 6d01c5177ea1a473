package io.hypercalld.core.memory;

import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A set of frame numbers below a fixed bound that finds its smallest member fast and costs host
 * memory only around its members. Confined to the machine thread.
 */
/*
 * A tree of bits, 64 ways at each level. Bit i of level 0 says whether i is a member; bit i of level
 * n+1 says whether word i of level n is not zero. Setting or clearing touches one word a level, and
 * stops where the word above need not change; finding the next member climbs until a word has a bit
 * at or after the wanted one and then descends along lowest bits. 2^32 members make six levels.
 */
public final class SparseBitmap implements SelfCopying<SparseBitmap> {
  private static final int WORD_SHIFT = 6;
  private static final long WORD_BITS = 1L << WORD_SHIFT;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

  private final HostMemory host;
  private final MemorySegment words;
  private final long[] levelOffsets;
  private final long bound;
  private long size;

  /**
   * An empty set for numbers from 0 to {@code bound}, exclusive; its memory goes with the host's.
   */
  SparseBitmap(long bound, HostMemory host) {
    int levels = 1;
    for (long words = wordsFor(bound); words > 1; words = wordsFor(words)) {
      levels++;
    }
    long[] offsets = new long[levels];
    long total = 0;
    long words = wordsFor(bound);
    for (int level = 0; level < levels; level++) {
      offsets[level] = total;
      total += words * Long.BYTES;
      words = wordsFor(words);
    }
    this.bound = bound;
    this.levelOffsets = offsets;
    this.host = host;
    this.words = host.reserve(total);
  }

  private static long wordsFor(long bits) {
    return (bits + 63) >>> WORD_SHIFT;
  }

  @Override
  public SparseBitmap copy(Copies copies) {
    SparseBitmap copy = new SparseBitmap(bound, copies.of(host));
    copy.size = size;
    int top = levelOffsets.length - 1;
    for (long at = 0; at < wordsAt(top); at++) {
      copyWord(copy, top, at);
    }
    return copy;
  }

  /** Copies a word and those below it that are not zero. */
  private void copyWord(SparseBitmap copy, int level, long at) {
    long word = word(level, at);
    copy.setWord(level, at, word);
    if (level > 0) {
      for (long left = word; left != 0; left &= left - 1) {
        copyWord(copy, level - 1, (at << WORD_SHIFT) + Long.numberOfTrailingZeros(left));
      }
    }
  }

  /** Number of members. */
  public long size() {
    return size;
  }

  public boolean contains(long index) {
    Objects.checkIndex(index, bound);
    return (word(0, index >>> WORD_SHIFT) & (1L << index)) != 0;
  }

  /** Adds a member; no effect where it is one already. */
  public void add(long index) {
    Objects.checkIndex(index, bound);
    long at = index >>> WORD_SHIFT;
    long word = word(0, at);
    if ((word & (1L << index)) == 0) {
      setWord(0, at, word | (1L << index));
      size++;
      if (word == 0) {
        markNotEmpty(at);
      }
    }
  }

  /** Removes a member; no effect where it is none. */
  public void remove(long index) {
    Objects.checkIndex(index, bound);
    long at = index >>> WORD_SHIFT;
    long word = word(0, at);
    if ((word & (1L << index)) != 0) {
      long left = word & ~(1L << index);
      setWord(0, at, left);
      size--;
      if (left == 0) {
        markEmpty(at);
      }
    }
  }

  /** Adds {@code count} consecutive numbers. */
  public void addRange(long from, long count) {
    Objects.checkFromIndexSize(from, count, bound);
    for (long index = from, end = from + count; index < end; index = nextWord(index)) {
      long at = index >>> WORD_SHIFT;
      long word = word(0, at);
      long whole = word | mask(index, end);
      setWord(0, at, whole);
      size += Long.bitCount(whole) - Long.bitCount(word);
      if (word == 0) {
        markNotEmpty(at);
      }
    }
  }

  /** Removes {@code count} consecutive numbers. */
  public void removeRange(long from, long count) {
    Objects.checkFromIndexSize(from, count, bound);
    for (long index = from, end = from + count; index < end; index = nextWord(index)) {
      long at = index >>> WORD_SHIFT;
      long word = word(0, at);
      long left = word & ~mask(index, end);
      setWord(0, at, left);
      size -= Long.bitCount(word) - Long.bitCount(left);
      if (left == 0 && word != 0) {
        markEmpty(at);
      }
    }
  }

  /** How many consecutive numbers from {@code from} on are members; counts no further than max. */
  public long runLength(long from, long max) {
    long end = Math.min(bound, from + max);
    for (long index = from; index < end; index = nextWord(index)) {
      long missing = ~word(0, index >>> WORD_SHIFT) & (-1L << index);
      if (missing != 0) {
        long first = (index & -WORD_BITS) + Long.numberOfTrailingZeros(missing);
        return Math.min(first, end) - from;
      }
    }
    return Math.max(end - from, 0);
  }

  private static long nextWord(long index) {
    return (index & -WORD_BITS) + WORD_BITS;
  }

  /** The bits of the word around {@code index} that stand for numbers from it to the end. */
  private static long mask(long index, long end) {
    long upTo = end < nextWord(index) ? -1L >>> -end : -1L;
    return (-1L << index) & upTo;
  }

  /** The smallest member that is at least {@code from}, or -1. */
  public long next(long from) {
    if (from >= bound) {
      return -1;
    }
    long index = from;
    for (int level = 0; level < levelOffsets.length; level++) {
      long at = index >>> WORD_SHIFT;
      long candidates = at < wordsAt(level) ? word(level, at) & (-1L << index) : 0;
      if (candidates != 0) {
        return descend(level, (at << WORD_SHIFT) + Long.numberOfTrailingZeros(candidates));
      }
      index = at + 1;
    }
    return -1;
  }

  private long descend(int fromLevel, long fromIndex) {
    long index = fromIndex;
    for (int level = fromLevel - 1; level >= 0; level--) {
      index = (index << WORD_SHIFT) + Long.numberOfTrailingZeros(word(level, index));
    }
    return index;
  }

  private void markNotEmpty(long wordIndex) {
    long index = wordIndex;
    for (int level = 1; level < levelOffsets.length; level++) {
      long at = index >>> WORD_SHIFT;
      long word = word(level, at);
      setWord(level, at, word | (1L << index));
      if (word != 0) {
        return;
      }
      index = at;
    }
  }

  private void markEmpty(long wordIndex) {
    long index = wordIndex;
    for (int level = 1; level < levelOffsets.length; level++) {
      long at = index >>> WORD_SHIFT;
      long left = word(level, at) & ~(1L << index);
      setWord(level, at, left);
      if (left != 0) {
        return;
      }
      index = at;
    }
  }

  private long wordsAt(int level) {
    long end = level + 1 < levelOffsets.length ? levelOffsets[level + 1] : words.byteSize();
    return (end - levelOffsets[level]) / Long.BYTES;
  }

  private long word(int level, long index) {
    return words.get(WORD, levelOffsets[level] + index * Long.BYTES);
  }

  private void setWord(int level, long index, long value) {
    words.set(WORD, levelOffsets[level] + index * Long.BYTES, value);
  }
}
