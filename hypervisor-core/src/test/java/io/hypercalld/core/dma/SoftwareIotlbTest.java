package io.hypercalld.core.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Places in the pool, and the bytes that are copied there and back. */
final class SoftwareIotlbTest {
  private static final int SEGMENTS = 2;
  private static final long POOL = 0x10_0000;
  private static final long BUS = 0x4000_0000L;
  private static final long OVERFLOW = 0x20_0000;
  private static final long OVERFLOW_BUS = 0x5000_0000L;
  private static final int KIB = 1 << 10;
  private static final int SEGMENT = 256 * KIB;

  private final FlatMemory memory = new FlatMemory(4 << 20);

  /** The second segment is before the first on the bus. */
  private final SoftwareIotlb pool =
      new SoftwareIotlb(
          new BouncePool(
              new Word(POOL),
              List.of(new Word(BUS + SEGMENT), new Word(BUS)),
              new BouncePool.Overflow(new Word(OVERFLOW), new Word(OVERFLOW_BUS))),
          memory);

  private long bounce(long gpa, int length, DmaDirection direction) {
    return pool.bounce(new Word(gpa), direction, length).orElseThrow();
  }

  private static long place(long bus) {
    return POOL + (bus >= BUS + SEGMENT ? bus - BUS - SEGMENT : bus - BUS + SEGMENT);
  }

  private String digest() {
    return new StateDigest().put(pool).finish();
  }

  @Test
  void bounce_toDevice_copiesInAndNothingBack() {
    memory.fill(0x1000, 3000, 0x5a);

    long bus = bounce(0x1000, 3000, DmaDirection.TO_DEVICE);

    assertThat(bus).isEqualTo(BUS + SEGMENT);
    assertThat(memory.holds(place(bus), 3000, 0x5a)).isTrue();
    memory.fill(place(bus), 3000, 0x11);
    pool.release(bus, 3000, DmaDirection.TO_DEVICE);
    assertThat(memory.holds(0x1000, 3000, 0x5a)).isTrue();
    assertThat(pool.counters().bytesToDevice()).isEqualTo(3000);
    assertThat(pool.counters().bytesFromDevice()).isZero();
    assertThat(pool.counters().bounces()).isEqualTo(1);
  }

  @Test
  void release_fromDevice_copiesOutAndNothingIn() {
    memory.fill(0x1000, 3000, 0x5a);
    long bus = bounce(0x1000, 3000, DmaDirection.FROM_DEVICE);
    assertThat(memory.holds(place(bus), 3000, 0)).isTrue();
    memory.fill(place(bus), 3000, 0x77);

    pool.release(bus, 3000, DmaDirection.FROM_DEVICE);

    assertThat(memory.holds(0x1000, 3000, 0x77)).isTrue();
    assertThat(pool.counters().bytesToDevice()).isZero();
    assertThat(pool.counters().bytesFromDevice()).isEqualTo(3000);
  }

  @Test
  void bidirectional_isCopiedBothWays() {
    memory.fill(0x1000, 2048, 0x5a);
    long bus = bounce(0x1000, 2048, DmaDirection.BIDIRECTIONAL);
    memory.fill(place(bus), 1024, 0x77);

    pool.release(bus, 2048, DmaDirection.BIDIRECTIONAL);

    assertThat(memory.holds(0x1000, 1024, 0x77)).isTrue();
    assertThat(memory.holds(0x1400, 1024, 0x5a)).isTrue();
    assertThat(pool.counters().bytesBounced()).isEqualTo(4096);
  }

  @Test
  void sync_ofAPart_copiesThatPartAlone() {
    long bus = bounce(0x1000, 8192, DmaDirection.FROM_DEVICE);
    memory.fill(place(bus), 8192, 0x77);

    pool.sync(bus + 3000, 2000, DmaDirection.FROM_DEVICE);

    assertThat(memory.holds(0x1000, 3000, 0)).isTrue();
    assertThat(memory.holds(0x1000 + 3000, 2000, 0x77)).isTrue();
    assertThat(memory.holds(0x1000 + 5000, 3192, 0)).isTrue();
    assertThat(pool.counters().bytesFromDevice()).isEqualTo(2000);
  }

  @Test
  void sync_beyondABuffer_isRefused() {
    long bus = bounce(0x1000, 2048, DmaDirection.FROM_DEVICE);
    bounce(0x9000, 2048, DmaDirection.FROM_DEVICE);

    assertRefused(() -> pool.sync(bus, 4096, DmaDirection.FROM_DEVICE), Errno.EINVAL);
  }

  @Test
  void bounce_largestBuffer_isASegment_andNoLarger() {
    assertThat(pool.bounce(new Word(0), DmaDirection.FROM_DEVICE, SEGMENT + 1)).isEmpty();

    assertThat(bounce(0, SEGMENT, DmaDirection.FROM_DEVICE)).isEqualTo(BUS + SEGMENT);
    assertThat(bounce(0, SEGMENT, DmaDirection.FROM_DEVICE)).isEqualTo(BUS);
    assertThat(pool.bounce(new Word(0), DmaDirection.FROM_DEVICE, 1)).isEmpty();
    assertThat(pool.highWater()).isEqualTo(SEGMENTS * 128);
  }

  @Test
  void bounce_doesNotCrossASegment() {
    bounce(0, 250 * KIB, DmaDirection.FROM_DEVICE);

    assertThat(bounce(0, 8 * KIB, DmaDirection.FROM_DEVICE)).isEqualTo(BUS);
  }

  @Test
  void bounce_moreThanAPage_beginsAtAPage() {
    bounce(0, 100, DmaDirection.FROM_DEVICE);

    assertThat(bounce(0, 4097, DmaDirection.FROM_DEVICE)).isEqualTo(BUS + SEGMENT + 4096);
    assertThat(bounce(0, 4096, DmaDirection.FROM_DEVICE)).isEqualTo(BUS + SEGMENT + 5 * 2048);
  }

  @Test
  void overflow_copiesNothing_andCountsItsUsers() {
    memory.fill(0x1000, 100, 0x5a);

    assertThat(pool.overflow()).isEqualTo(OVERFLOW_BUS);
    assertThat(pool.overflow()).isEqualTo(OVERFLOW_BUS);

    assertThat(pool.overflowUsers()).isEqualTo(2);
    pool.release(OVERFLOW_BUS, 100, DmaDirection.FROM_DEVICE);
    pool.release(OVERFLOW_BUS, 100, DmaDirection.FROM_DEVICE);
    assertThat(pool.overflowUsers()).isZero();
    assertThat(memory.holds(0x1000, 100, 0x5a)).isTrue();
    assertThat(pool.counters().bytesBounced()).isZero();
    assertThat(pool.counters().overflows()).isEqualTo(2);
    assertRefused(() -> pool.release(OVERFLOW_BUS, 100, DmaDirection.FROM_DEVICE), Errno.EINVAL);
  }

  @Test
  void release_ofWhatIsNotInUse_isRefusedAndChangesNothing() {
    long bus = bounce(0x1000, 5000, DmaDirection.FROM_DEVICE);
    String before = digest();

    assertRefused(() -> pool.release(bus, 4999, DmaDirection.FROM_DEVICE), Errno.EINVAL);
    assertRefused(() -> pool.release(bus + 2048, 5000, DmaDirection.FROM_DEVICE), Errno.EINVAL);
    assertRefused(() -> pool.release(bus + 8192, 5000, DmaDirection.FROM_DEVICE), Errno.EINVAL);

    assertThat(digest()).isEqualTo(before);
  }

  @Test
  void bounce_ofWhatIsNoMemory_isRefusedAndChangesNothing() {
    String before = digest();

    assertRefused(() -> bounce(1L << 40, 4096, DmaDirection.TO_DEVICE), Errno.EFAULT);

    assertThat(pool.slabsUsed()).isZero();
    assertThat(digest()).isEqualTo(before);
  }

  private static void assertRefused(Runnable call, Errno errno) {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(call::run)
        .extracting(Refusal::errno)
        .isEqualTo(errno);
  }

  /** A buffer of the random walk, its place in the pool and what it is filled with. */
  private record Held(long gpa, int length, long bus, int filling) {}

  @Test
  void randomWalk_everyBufferKeepsItsBytes_andNoTwoOverlap() {
    Random random = new Random(20060120);
    List<Held> held = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      if (held.isEmpty() || random.nextInt(5) < 3) {
        int length = 1 + random.nextInt(random.nextInt(4) == 0 ? 20_000 : 3000);
        int filling = 1 + random.nextInt(100);
        memory.fill(0x30_0000, length, filling);
        OptionalLong bus = pool.bounce(new Word(0x30_0000), DmaDirection.BIDIRECTIONAL, length);
        bus.ifPresent(found -> held.add(new Held(0x30_0000, length, found, filling)));
      } else {
        Held last = held.remove(random.nextInt(held.size()));
        assertThat(memory.holds(place(last.bus), last.length, last.filling)).isTrue();
        pool.release(last.bus, last.length, DmaDirection.BIDIRECTIONAL);
        assertThat(memory.holds(last.gpa, last.length, last.filling)).isTrue();
      }
      assertThat(pool.slabsUsed())
          .isEqualTo(held.stream().mapToInt(one -> (one.length + 2047) / 2048).sum());
    }
    held.forEach(one -> pool.release(one.bus, one.length, DmaDirection.TO_DEVICE));

    // All free slabs are joined again: whole segments are to be had.
    assertThat(LongStream.range(0, SEGMENTS))
        .allSatisfy(_ -> bounce(0, SEGMENT, DmaDirection.FROM_DEVICE));
  }
}
