package io.hypercalld.core.dma;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.agrona.collections.Long2LongCounterMap;

/**
 * A kernel's bounce buffers: memory that devices reach, in place of memory that they do not.
 * Confined to the machine thread.
 *
 * <p>Bytes are copied in before a device may read them, and out when it has written them. When the
 * pool is full there is one overflow buffer, which is nobody's own: bytes there are nobody's, too.
 *
 * @see "Linux lib/swiotlb.c; spec/documents.md S3-D8"
 */
public final class SoftwareIotlb implements Digestible {
  /** Bytes of a slab, log2 (IO_TLB_SHIFT). */
  static final int SLAB_SHIFT = 11;

  /** Bytes of a slab. */
  public static final int SLAB_BYTES = 1 << SLAB_SHIFT;

  /** Bytes of the overflow buffer. */
  public static final int OVERFLOW_BYTES = 32 << 10;

  /** In place of a segment's index: there is none. */
  private static final long NO_SEGMENT = -1;

  /** In place of a buffer's address: the slab is free. */
  private static final long FREE = -1;

  private static final int PAGE_STRIDE = PageSize.BYTES_4K >>> SLAB_SHIFT;

  private final BounceCounters counters = new BounceCounters();
  private final Long2LongCounterMap segments = new Long2LongCounterMap(NO_SEGMENT);
  private final KernelMemory memory;
  private final BouncePool pool;
  private final SlabList slabs;
  private final long[] originals;
  private final int[] lengths;
  private int overflowUsers;

  public SoftwareIotlb(BouncePool pool, KernelMemory memory) {
    this.pool = pool;
    this.memory = memory;
    this.slabs = new SlabList(pool.segments().size() * SlabList.SEGMENT);
    this.originals = new long[slabs.size()];
    this.lengths = new int[slabs.size()];
    Arrays.fill(originals, FREE);
    for (int segment = 0; segment < pool.segments().size(); segment++) {
      segments.put(segmentOf(pool.segments().get(segment).value()), segment);
    }
  }

  private static long segmentOf(long bus) {
    return bus / BouncePool.SEGMENT_BYTES;
  }

  /** What it cost. */
  public BounceCounters counters() {
    return counters;
  }

  /** Counts from zero again; as many slabs as are in use are the most so far. */
  public void resetCounters() {
    counters.reset();
    slabs.resetHighWater();
  }

  /**
   * What makes a call that is taken back one that was never made: run when all that it was given
   * has been released.
   */
  public Runnable forgetting() {
    Runnable counts = counters.restoring();
    Runnable search = slabs.restoring();
    return () -> {
      counts.run();
      search.run();
    };
  }

  /** Where it is. */
  public BouncePool pool() {
    return pool;
  }

  /** Slabs taken. */
  public int slabsUsed() {
    return slabs.used();
  }

  /** Slabs there are. */
  public int slabCount() {
    return slabs.size();
  }

  /** Most slabs that were taken at once. */
  public int highWater() {
    return slabs.highWater();
  }

  /** Buffers that share the overflow buffer now. */
  public int overflowUsers() {
    return overflowUsers;
  }

  /** Whether a bus address is in the pool, that is, whether what is there was bounced. */
  public boolean contains(long bus) {
    return segments.containsKey(segmentOf(bus));
  }

  /** Whether a bus address is in the overflow buffer. */
  public boolean isOverflow(long bus) {
    long offset = bus - pool.overflow().bus().value();
    return offset >= 0 && offset < OVERFLOW_BYTES;
  }

  /**
   * Finds a place in the pool for a buffer, and copies its bytes there where the device is to read
   * them.
   *
   * @param gpa guest-physical address of the buffer
   * @param length bytes, at least 1
   * @return the bus address; empty where the pool has no such place
   * @throws Refusal EFAULT where the buffer is not memory. Nothing changed
   */
  public OptionalLong bounce(Word gpa, DmaDirection direction, int length) {
    int count = slabsFor(length);
    int stride = length > PageSize.BYTES_4K ? PAGE_STRIDE : 1;
    OptionalInt found = slabs.find(count, stride);
    if (found.isEmpty()) {
      return OptionalLong.empty();
    }
    int first = found.getAsInt();
    if (direction.toDevice()) {
      memory.copy(gpa, gpaOf(first), length);
      counters.countIn(length);
    }
    slabs.take(first, count);
    for (int i = 0; i < count; i++) {
      originals[first + i] = gpa.value() + ((long) i << SLAB_SHIFT);
    }
    lengths[first] = length;
    counters.countBounce();
    return OptionalLong.of(busOf(first));
  }

  /**
   * Hands out the overflow buffer. Nothing is copied to it or from it: who gets it reads and writes
   * what others do, and the buffer that it was for stays as it is.
   *
   * @return its bus address
   */
  public long overflow() {
    overflowUsers++;
    counters.countOverflow();
    return pool.overflow().bus().value();
  }

  /**
   * Takes a place of the pool back, and copies what the device wrote there.
   *
   * @param bus what {@link #bounce} or {@link #overflow} answered
   * @param length as it was asked for
   * @throws Refusal EINVAL where no such place was handed out; EFAULT where the buffer is not
   *     memory any more. Nothing changed
   */
  public void release(long bus, int length, DmaDirection direction) {
    requireInUse(bus, length);
    if (isOverflow(bus)) {
      overflowUsers--;
      return;
    }
    if (direction.fromDevice()) {
      copyOut(bus, length);
    }
    int first = slabOf(bus);
    int count = slabsFor(length);
    lengths[first] = 0;
    Arrays.fill(originals, first, first + count, FREE);
    slabs.release(first, count);
  }

  /**
   * Refuses what was not handed out.
   *
   * @throws Refusal EINVAL
   */
  void requireInUse(long bus, int length) {
    boolean inUse =
        isOverflow(bus)
            ? overflowUsers > 0
            : lengths[slabOf(bus)] == length && bus % SLAB_BYTES == 0;
    requireHandedOut(inUse, bus, length);
  }

  private static void requireHandedOut(boolean isSo, long bus, int length) {
    if (!isSo) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at 0x%x are no bounce buffer in use", length, bus);
    }
  }

  /** Whether an address of the pool, or of the overflow buffer, is somebody's. */
  public boolean isHandedOut(long bus) {
    return isOverflow(bus) ? overflowUsers > 0 : originals[slabOf(bus)] != FREE;
  }

  /**
   * Copies bytes between a bounce buffer and what it stands for; see {@link DmaOperations#sync}.
   *
   * @throws Refusal EINVAL where they are not all of one that is in use; EFAULT where the buffer is
   *     not memory any more. Nothing changed
   */
  public void sync(long bus, int length, DmaDirection towards) {
    long last = originalOf(bus).value() + length - 1;
    boolean within = segmentOf(bus) == segmentOf(bus + length - 1);
    requireHandedOut(within && isHandedOut(bus) && isHandedOut(bus + length - 1), bus, length);
    requireHandedOut(originalOf(bus + length - 1).value() == last, bus, length);
    if (towards.fromDevice()) {
      copyOut(bus, length);
    }
    if (towards.toDevice()) {
      memory.copy(originalOf(bus), placeOf(bus), length);
      counters.countIn(length);
    }
  }

  private void copyOut(long bus, int length) {
    memory.copy(placeOf(bus), originalOf(bus), length);
    counters.countOut(length);
  }

  private Word originalOf(long bus) {
    return new Word(originals[slabOf(bus)] + bus % SLAB_BYTES);
  }

  private Word placeOf(long bus) {
    return new Word(gpaOf(slabOf(bus)).value() + bus % SLAB_BYTES);
  }

  private int slabOf(long bus) {
    long segment = segments.get(segmentOf(bus));
    if (segment == NO_SEGMENT) {
      throw new IllegalArgumentException("0x%x is not in the pool".formatted(bus));
    }
    return (int) segment * SlabList.SEGMENT + (int) (bus % BouncePool.SEGMENT_BYTES >>> SLAB_SHIFT);
  }

  private Word gpaOf(int slab) {
    return new Word(pool.gpa().value() + ((long) slab << SLAB_SHIFT));
  }

  private long busOf(int slab) {
    long segment = pool.segments().get(slab / SlabList.SEGMENT).value();
    return segment + ((long) (slab % SlabList.SEGMENT) << SLAB_SHIFT);
  }

  private static int slabsFor(int length) {
    return (length + SLAB_BYTES - 1) >>> SLAB_SHIFT;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("swiotlb")
        .put(pool.gpa().value())
        .put(pool.overflow().gpa().value())
        .put(pool.overflow().bus().value());
    pool.segments().forEach(segment -> digest.put(segment.value()));
    digest.put(slabs);
    for (int slab = 0; slab < originals.length; slab++) {
      digest.put(originals[slab]).put(lengths[slab]);
    }
    digest.put(overflowUsers).put(counters);
  }
}
