package io.hypercalld.core.dma;

import static io.hypercalld.core.dma.DmaDirection.FROM_DEVICE;
import static io.hypercalld.core.dma.DmaDirection.TO_DEVICE;
import static io.hypercalld.core.dma.DmaOperations.Shortage.REFUSED;
import static io.hypercalld.core.dma.DmaOperations.Shortage.UNCHECKED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DmaOperations.Place;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a buffer is bounced, and what becomes of it when it cannot be. */
final class BouncingDmaTest {
  private static final DmaDevice WIDE = new DmaDevice("0000:03:00.0", 64);
  private static final DmaDevice NARROW = new DmaDevice("0000:03:00.0", 32);
  private static final long POOL_BUS = 0x4000_0000L;
  private static final long OVERFLOW_BUS = 0x5000_0000L;

  /** Pages from this guest frame on are above 4 GiB of the machine. */
  private static final long HIGH = 0x200;

  private static final long ABSENT = 0x300;
  private static final int KIB = 1 << 10;

  private final FlatMemory memory = new FlatMemory(4 << 20);
  private final ContiguityMap contiguity = new ContiguityMap();
  private final Addresses vp = new Addresses(DmaMode.VP);
  private final BouncingDma dma = kernel(vp);

  private BouncingDma kernel(AddressMode mode) {
    return new BouncingDma(
        mode,
        new SoftwareIotlb(
            new BouncePool(
                new Word(0x10_0000),
                List.of(new Word(POOL_BUS)),
                new BouncePool.Overflow(new Word(0x20_0000), new Word(OVERFLOW_BUS))),
            memory),
        contiguity);
  }

  /** Neighbours in memory are never neighbours on the bus. */
  private static final class Addresses implements AddressMode {
    private final DmaMode mode;
    private long calls;

    Addresses(DmaMode mode) {
      this.mode = mode;
    }

    @Override
    public DmaMode mode() {
      return mode;
    }

    @Override
    public long map(long gfn, DmaPermission permission) {
      calls++;
      if (gfn == ABSENT) {
        return NO_FRAME;
      }
      return mode == DmaMode.IDENTITY ? gfn : (gfn >= HIGH ? 0x10_0000 : 0) + 0x2000 + 2 * gfn;
    }
  }

  private static long bus(long gpa) {
    return 0x200_0000 + 2 * (gpa & ~0xfffL) + (gpa & 0xfff) + (gpa >= HIGH << 12 ? 1L << 32 : 0);
  }

  @Test
  void map_withinAPage_isNotBounced() {
    assertThat(dma.map(NARROW, 0x1800, 0x800, FROM_DEVICE, UNCHECKED)).isEqualTo(bus(0x1800));

    assertThat(dma.place(bus(0x1800))).isEqualTo(Place.DIRECT);
    assertThat(vp.calls).isEqualTo(1);
    assertThat(dma.bounces().orElseThrow().counters().bounces()).isZero();
  }

  @Test
  void map_acrossPages_isBounced() {
    assertThat(dma.map(WIDE, 0x1800, 0x801, FROM_DEVICE, UNCHECKED)).isEqualTo(POOL_BUS);

    assertThat(dma.place(POOL_BUS)).isEqualTo(Place.BOUNCED);
  }

  @Test
  void map_acrossPagesOfARegionMadeContiguous_isNotBounced_untilItIsTakenApart() {
    contiguity.join(new Gfn(0x10), 8);

    assertThat(dma.map(WIDE, 0x1_0000, 0x8000, FROM_DEVICE, UNCHECKED)).isEqualTo(bus(0x1_0000));
    assertThat(dma.map(WIDE, 0x1_0000, 0x8001, FROM_DEVICE, UNCHECKED)).isEqualTo(POOL_BUS);
    assertThat(dma.place(dma.map(WIDE, 0xf800, 0x1000, FROM_DEVICE, UNCHECKED)))
        .isEqualTo(Place.BOUNCED);

    contiguity.separate(new Gfn(0x10), 8);
    assertThat(dma.place(dma.map(WIDE, 0x1_0000, 0x8000, FROM_DEVICE, UNCHECKED)))
        .isEqualTo(Place.BOUNCED);
  }

  @Test
  void map_whereAllIsContiguous_isNotBounced() {
    BouncingDma identity = kernel(new Addresses(DmaMode.IDENTITY));

    assertThat(identity.map(WIDE, 0x1800, 0x9000, FROM_DEVICE, UNCHECKED)).isEqualTo(0x1800);
  }

  @Test
  void map_beyondTheDevicesMask_isBounced_forThatDeviceAlone() {
    long gpa = HIGH << 12;

    assertThat(dma.map(NARROW, gpa, 100, TO_DEVICE, UNCHECKED)).isEqualTo(POOL_BUS);
    assertThat(dma.map(WIDE, gpa, 100, TO_DEVICE, UNCHECKED)).isEqualTo(bus(gpa));
    assertThat(dma.bounces().orElseThrow().counters().bytesToDevice()).isEqualTo(100);
  }

  @Test
  void map_forADeviceThatCannotNameThePool_isRefused() {
    DmaDevice isa = new DmaDevice("0000:00:1f.0", 24);

    assertRefused(() -> dma.map(isa, 0x1000, 100, TO_DEVICE, UNCHECKED), Errno.EIO);
    assertThat(dma.bounces().orElseThrow().slabsUsed()).isZero();
  }

  @Test
  void map_ofNoMemory_isRefused() {
    assertRefused(() -> dma.map(WIDE, ABSENT << 12, 100, TO_DEVICE, UNCHECKED), Errno.EFAULT);
  }

  @Test
  void map_poolFull_upTo32KiBGetTheOverflowBuffer_andItsUsersAreCounted() {
    dma.map(WIDE, 0x800, 256 * KIB, FROM_DEVICE, UNCHECKED);

    assertThat(dma.map(WIDE, 0x800, 16 * KIB, FROM_DEVICE, UNCHECKED)).isEqualTo(OVERFLOW_BUS);
    assertThat(dma.map(WIDE, 0x4_0800, 16 * KIB, FROM_DEVICE, UNCHECKED)).isEqualTo(OVERFLOW_BUS);

    assertThat(dma.place(OVERFLOW_BUS)).isEqualTo(Place.OVERFLOW);
    assertThat(dma.bounces().orElseThrow().overflowUsers()).isEqualTo(2);
    assertThat(dma.map(WIDE, 0x800, 32 * KIB, FROM_DEVICE, UNCHECKED)).isEqualTo(OVERFLOW_BUS);
  }

  @Test
  void map_poolFull_moreThan32KiBPanic_andOnesThatLookAreRefused() {
    dma.map(WIDE, 0x800, 256 * KIB, FROM_DEVICE, UNCHECKED);

    assertThatExceptionOfType(KernelPanic.class)
        .isThrownBy(() -> dma.map(WIDE, 0x800, 64 * KIB, FROM_DEVICE, UNCHECKED))
        .withMessage("PCI-DMA: Memory would be corrupted");
    assertThatExceptionOfType(KernelPanic.class)
        .isThrownBy(() -> dma.map(WIDE, 0x800, 64 * KIB, TO_DEVICE, UNCHECKED))
        .withMessage("PCI-DMA: Random memory would be DMAed");
    assertRefused(() -> dma.map(WIDE, 0x800, 8 * KIB, TO_DEVICE, REFUSED), Errno.ENOMEM);
  }

  @Test
  void unmap_ofWhatIsNotMapped_isRefusedAndChangesNothing() {
    long bus = dma.map(WIDE, 0x1800, 0x800, FROM_DEVICE, UNCHECKED);
    assertThat(dma.isMapped(bus)).isTrue();
    dma.unmap(WIDE, bus, 0x800, FROM_DEVICE);
    String before = new StateDigest().put(dma).finish();

    assertThat(dma.isMapped(bus)).isFalse();
    assertRefused(() -> dma.unmap(WIDE, bus, 0x800, FROM_DEVICE), Errno.EINVAL);
    assertRefused(() -> dma.sync(bus, 0x800, FROM_DEVICE), Errno.EINVAL);
    assertThat(new StateDigest().put(dma).finish()).isEqualTo(before);
  }

  private static void assertRefused(Runnable call, Errno errno) {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(call::run)
        .extracting(Refusal::errno)
        .isEqualTo(errno);
  }
}
