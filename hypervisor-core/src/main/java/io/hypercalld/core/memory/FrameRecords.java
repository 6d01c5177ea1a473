package io.hypercalld.core.memory;

import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where the records of frames and blocks lie. Confined to the machine thread. */
/*
 * Three arrays in one sparse mapping: a record for each 1 GiB, each 2 MiB and each 4 KiB of the
 * address space. A frame's record is the largest one that is not marked divided, so a block that is
 * alike throughout costs 24 bytes and its neighbours' records lie beside it, on the same page of the
 * host. A block is divided when a part of it needs a state of its own; its record is then copied into
 * the 512 below, the guest frame number stepped. Records below one that is not divided are all zero,
 * which is what makes dividing a free block a single store.
 */
final class FrameRecords implements SelfCopying<FrameRecords> {
  private static final int WORDS = 3;
  static final int BYTES = WORDS * Long.BYTES;

  private static final int FAN_OUT_SHIFT = 9;
  private static final int FAN_OUT = 1 << FAN_OUT_SHIFT;
  private static final int TOP_LEVEL = 3;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
  private static final long DIVIDED = FrameRecord.DIVIDED.mask();

  private final long[] buffer = new long[FAN_OUT * WORDS];
  private final HostMemory host;
  private final MemorySegment words;
  private final long bound;
  private final long largeBase;
  private final long smallBase;

  /** Records for the frames from 0 to {@code bound}, exclusive. */
  FrameRecords(long bound, HostMemory host) {
    long giants = (bound >>> (2 * FAN_OUT_SHIFT)) + 1;
    long larges = giants << FAN_OUT_SHIFT;
    this.bound = bound;
    this.largeBase = giants * BYTES;
    this.smallBase = largeBase + larges * BYTES;
    this.host = host;
    this.words = host.reserve(smallBase + (larges << FAN_OUT_SHIFT) * BYTES);
  }

  @Override
  public FrameRecords copy(Copies copies) {
    FrameRecords copy = new FrameRecords(bound, copies.of(host));
    for (long giant = 0; giant < largeBase / BYTES; giant++) {
      copyRecord(copy, TOP_LEVEL, giant << (2 * FAN_OUT_SHIFT));
    }
    return copy;
  }

  /** Copies a record and, where it is divided, those below it. */
  private void copyRecord(FrameRecords copy, int level, long mfn) {
    long record = at(level, mfn);
    MemorySegment.copy(words, record, copy.words, record, BYTES);
    if (level > 1 && isDivided(record)) {
      for (int i = 0; i < FAN_OUT; i++) {
        copyRecord(copy, level - 1, mfn + i * frames(level - 1));
      }
    }
  }

  /** First number that is no frame's. */
  long bound() {
    return bound;
  }

  /** Frames in a block whose record is at the level. */
  static long frames(int level) {
    return 1L << (FAN_OUT_SHIFT * (level - 1));
  }

  /** The level of the record that holds for the frame. */
  int level(long mfn) {
    if (!isDivided(at(TOP_LEVEL, mfn))) {
      return TOP_LEVEL;
    }
    return isDivided(at(2, mfn)) ? 1 : 2;
  }

  /** Offset of the record that holds for the frame. */
  long find(long mfn) {
    long giant = at(TOP_LEVEL, mfn);
    if (!isDivided(giant)) {
      return giant;
    }
    long large = at(2, mfn);
    return isDivided(large) ? at(1, mfn) : large;
  }

  /** Offset of the frame's record at the level, whether it holds or not. */
  long at(int level, long mfn) {
    return switch (level) {
      case 1 -> smallBase + mfn * BYTES;
      case 2 -> largeBase + (mfn >>> FAN_OUT_SHIFT) * BYTES;
      default -> (mfn >>> (2 * FAN_OUT_SHIFT)) * BYTES;
    };
  }

  long countInfo(long record) {
    return words.get(WORD, record);
  }

  long ownership(long record) {
    return words.get(WORD, record + Long.BYTES);
  }

  long invertedGfn(long record) {
    return words.get(WORD, record + 2 * Long.BYTES);
  }

  /** Whether these two words are the frame's. */
  boolean holds(long mfn, long countInfo, long ownership) {
    long record = find(mfn);
    return countInfo(record) == countInfo && ownership(record) == ownership;
  }

  void setCountInfo(long record, long value) {
    words.set(WORD, record, value);
  }

  void setOwnership(long record, long value) {
    words.set(WORD, record + Long.BYTES, value);
  }

  void setInvertedGfn(long record, long value) {
    words.set(WORD, record + 2 * Long.BYTES, value);
  }

  /**
   * Notes where frames with a record each are mapped, up to {@code end} or to the end of the 2 MiB
   * that the first lies in.
   *
   * @return the first frame not handled
   */
  long mapSingles(long mfn, long end, long gfn) {
    int count = singles(mfn, end);
    long step = gfn < 0 ? 0 : 1;
    long inverted = at(1, mfn) + (WORDS - 1) * Long.BYTES;
    for (long i = 0; i < count; i++) {
      words.set(WORD, inverted + i * BYTES, ~(gfn + i * step));
    }
    return mfn + count;
  }

  /**
   * Stores the records of like frames with one each, as far as {@link #mapSingles} would.
   *
   * @return the first frame not handled
   */
  long putSingles(long mfn, long end, FrameContents contents) {
    int count = singles(mfn, end);
    int length = count * WORDS;
    long countInfo = contents.countInfo();
    long ownership = contents.ownership();
    long inverted = ~contents.gfn();
    int step = contents.step();
    for (int i = 0; i < length; i += WORDS) {
      buffer[i] = countInfo;
      buffer[i + 1] = ownership;
      buffer[i + 2] = inverted;
      inverted -= step;
    }
    MemorySegment.copy(buffer, 0, words, WORD, at(1, mfn), length);
    return mfn + count;
  }

  /** Frames up to {@code end} in the 2 MiB that the first lies in. */
  private static int singles(long mfn, long end) {
    return (int) Math.min(end - mfn, FAN_OUT - (mfn & (FAN_OUT - 1)));
  }

  void put(long record, FrameContents contents) {
    put(record, contents.countInfo(), contents.ownership(), ~contents.gfn());
  }

  private void put(long record, long countInfo, long ownership, long invertedGfn) {
    words.set(WORD, record, countInfo);
    words.set(WORD, record + Long.BYTES, ownership);
    words.set(WORD, record + 2 * Long.BYTES, invertedGfn);
  }

  /** Divides blocks until the record at {@code level} holds for the frame, or a smaller one. */
  void divideTo(int level, long mfn) {
    for (int above = TOP_LEVEL; above > level; above--) {
      if (!isDivided(at(above, mfn))) {
        divide(above, mfn);
      }
    }
  }

  /** Makes every record at or below the level zero within the frame's block of that level. */
  void clear(int level, long mfn) {
    long record = at(level, mfn);
    if (isDivided(record)) {
      long child = frames(level - 1);
      long first = mfn & -frames(level);
      if (level > 2) {
        for (int i = 0; i < FAN_OUT; i++) {
          clear(level - 1, first + i * child);
        }
      } else {
        words.asSlice(at(1, first), (long) FAN_OUT * BYTES).fill((byte) 0);
      }
    }
    put(record, 0, 0, 0);
  }

  private void divide(int level, long mfn) {
    long record = at(level, mfn);
    long countInfo = countInfo(record);
    long ownership = ownership(record);
    long invertedGfn = invertedGfn(record);
    if ((countInfo | ownership | invertedGfn) != 0) {
      long child = at(level - 1, mfn & -frames(level));
      // ~(gfn + n) is ~gfn - n; a number that is no guest frame's stays as it is.
      long step = invertedGfn < 0 ? frames(level - 1) : 0;
      for (int i = 0; i < FAN_OUT; i++) {
        put(child + (long) i * BYTES, countInfo, ownership, invertedGfn - i * step);
      }
    }
    put(record, 0, DIVIDED, 0);
  }

  private boolean isDivided(long record) {
    return (ownership(record) & DIVIDED) != 0;
  }
}
