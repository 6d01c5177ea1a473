package io.hypercalld.core.memory;

import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The bytes of the machine, little-endian, at their machine addresses. Confined to the machine
 * thread.
 *
 * <p>Accesses to anything but RAM are programming errors here: whoever holds an address from
 * outside (a table entry, a register, a device) asks {@link #isRam} first and has its own answer
 * where the result is no.
 */
public final class MachineMemory
    implements PhysicalMemory, Digestible, SelfCopying<MachineMemory>, AutoCloseable {
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The same where nobody need check on the address again. */
  private static final ValueLayout.OfLong ANY_WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final ValueLayout.OfInt HALF =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final long[] buffer = new long[WordProgression.MOST];
  private final MemoryMap map;
  private final HostMemory host;
  private final MemorySegment bytes;
  private final SparseBitmap touched;
  private final long lowTop;
  private final long highTop;

  /** The frame that was touched last, as the next is likely to be; -1 for none. */
  private long lastTouched = -1;

  public MachineMemory(MemoryMap map) {
    this(map, new HostMemory());
  }

  private MachineMemory(MemoryMap map, HostMemory host) {
    this.map = map;
    this.lowTop = map.lowTop();
    this.highTop = map.highTop();
    this.host = host;
    this.bytes = host.reserve(highTop);
    this.touched = new SparseBitmap(highTop >>> PageSize.SHIFT_4K, host);
  }

  public MemoryMap map() {
    return map;
  }

  /** What side tables of this memory lie in, so that they end with it. */
  HostMemory host() {
    return host;
  }

  @Override
  public MachineMemory copy(Copies copies) {
    MachineMemory copy = new MachineMemory(map, copies.of(host));
    for (long frame = touched.next(0); frame >= 0; frame = touched.next(frame + 1)) {
      copy.touched.add(frame);
      copy.page(frame).copyFrom(page(frame));
    }
    return copy;
  }

  @Override
  public boolean isRam(long maddr) {
    return Long.compareUnsigned(maddr, lowTop) < 0
        || (maddr >= MemoryMap.FOUR_GIB && maddr < highTop);
  }

  @Override
  public boolean isRam(long maddr, long length) {
    return map.isRam(maddr, length);
  }

  @Override
  public long readWord(long maddr) {
    return bytes.get(WORD, maddr);
  }

  @Override
  public long readIfRam(long maddr) {
    return isRam(maddr) ? bytes.get(ANY_WORD, maddr) : 0;
  }

  @Override
  public void writeWord(long maddr, long value) {
    touch(maddr >>> PageSize.SHIFT_4K);
    bytes.set(WORD, maddr, value);
  }

  /** Stores the first {@code count} of the words from {@code maddr} on, a multiple of 8. */
  public void fillWords(long maddr, long count, WordProgression words) {
    for (long done = 0; done < count; done += buffer.length) {
      int part = (int) Math.min(buffer.length, count - done);
      new WordProgression(words.at(done), words.step()).fill(buffer, part);
      writeWords(maddr + done * Long.BYTES, buffer, part);
    }
  }

  /**
   * As {@link #fillWords} in one page, with further bits that do not count as a difference, and
   * says what was there before.
   */
  public Replaced replaceWords(long maddr, int count, WordProgression words, SlotBits further) {
    int slot = SlotBits.slot(maddr);
    MemorySegment.copy(bytes, WORD, maddr, buffer, slot, count);
    Replaced replaced = words.replace(buffer, slot, slot + count, further);
    touch(maddr >>> PageSize.SHIFT_4K);
    MemorySegment.copy(buffer, slot, bytes, WORD, maddr, count);
    return replaced;
  }

  /** Whether {@code count} 64-bit words at {@code maddr}, a multiple of 8, are all the same. */
  public boolean areAll(long maddr, int count, long value) {
    readWords(maddr, buffer, count);
    long others = 0;
    for (int i = 0; i < count; i++) {
      others |= buffer[i] ^ value;
    }
    return others == 0;
  }

  /** Copies {@code count} 64-bit words at {@code maddr}, a multiple of 8, to the array's start. */
  public void readWords(long maddr, long[] target, int count) {
    MemorySegment.copy(bytes, WORD, maddr, target, 0, count);
  }

  /** Stores the array's first {@code count} words from {@code maddr} on, a multiple of 8. */
  public void writeWords(long maddr, long[] source, int count) {
    touch(maddr, (long) count * Long.BYTES);
    MemorySegment.copy(source, 0, bytes, WORD, maddr, count);
  }

  /** The 32-bit word at {@code maddr}, a multiple of 4. */
  public int readInt(long maddr) {
    return bytes.get(HALF, maddr);
  }

  @Override
  public void writeInt(long maddr, int value) {
    touch(maddr >>> PageSize.SHIFT_4K);
    bytes.set(HALF, maddr, value);
  }

  /** Copies {@code length} bytes at {@code maddr} to {@code target} from {@code offset} on. */
  public void read(long maddr, byte[] target, int offset, int length) {
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, maddr, target, offset, length);
  }

  /** Copies {@code length} bytes of {@code source} from {@code offset} on to {@code maddr}. */
  public void write(long maddr, byte[] source, int offset, int length) {
    touch(maddr, length);
    MemorySegment.copy(source, offset, bytes, ValueLayout.JAVA_BYTE, maddr, length);
  }

  /** The little-endian number of {@code size} bytes, at most 8, at {@code maddr}. */
  public long readNumber(long maddr, int size) {
    long number = 0;
    for (int i = 0; i < size; i++) {
      number |= Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, maddr + i)) << (i * Byte.SIZE);
    }
    return number;
  }

  /** Stores the low {@code size} bytes of a number, at most 8, at {@code maddr}. */
  public void writeNumber(long maddr, int size, long number) {
    touch(maddr, size);
    for (int i = 0; i < size; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, maddr + i, (byte) (number >>> (i * Byte.SIZE)));
    }
  }

  /** Whether a frame of RAM holds nothing but zeros. */
  public boolean isZero(Mfn mfn) {
    return !touched.contains(mfn.value()) || page(mfn.value()).mismatch(ZEROS) < 0;
  }

  private MemorySegment page(long frame) {
    return bytes.asSlice(frame << PageSize.SHIFT_4K, PageSize.BYTES_4K);
  }

  /** Zeros {@code frames} frames from {@code mfn} on and returns what they cost to the host. */
  public void scrub(Mfn mfn, long frames) {
    long end = mfn.value() + frames;
    if (frames == 1 && !touched.contains(mfn.value())) {
      return;
    }
    lastTouched = -1;
    long frame = touched.next(mfn.value());
    while (frame >= 0 && frame < end) {
      long runEnd = frame;
      while (runEnd < end && touched.contains(runEnd)) {
        touched.remove(runEnd);
        runEnd++;
      }
      SparseMapping.discard(
          bytes.asSlice(frame << PageSize.SHIFT_4K, (runEnd - frame) << PageSize.SHIFT_4K));
      frame = touched.next(runEnd);
    }
  }

  /** Zeros {@code frames} frames from {@code mfn} on that will be written again soon. */
  void zero(Mfn mfn, long frames) {
    bytes.asSlice(mfn.maddr(), frames << PageSize.SHIFT_4K).fill((byte) 0);
  }

  /** Number of frames written since they were last scrubbed: what the machine costs its host. */
  public long touchedFrames() {
    return touched.size();
  }

  private void touch(long maddr, long length) {
    long last = (maddr + length - 1) >>> PageSize.SHIFT_4K;
    for (long frame = maddr >>> PageSize.SHIFT_4K; frame <= last; frame++) {
      touch(frame);
    }
  }

  private void touch(long frame) {
    if (frame != lastTouched) {
      touched.add(frame);
      lastTouched = frame;
    }
  }

  /** Every frame that holds anything but zeros, in ascending order. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("memory").put(lowTop).put(highTop);
    for (long frame = touched.next(0); frame >= 0; frame = touched.next(frame + 1)) {
      MemorySegment page = page(frame);
      if (page.mismatch(ZEROS) >= 0) {
        digest.put(frame).put(page.asByteBuffer());
      }
    }
  }

  private static final MemorySegment ZEROS =
      MemorySegment.ofArray(new byte[PageSize.BYTES_4K]).asReadOnly();

  @Override
  public void close() {
    host.close();
  }
}
