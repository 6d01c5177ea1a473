package io.hypercalld.core.dma;

import static io.hypercalld.core.dma.DmaDirection.FROM_DEVICE;
import static io.hypercalld.core.dma.DmaDirection.TO_DEVICE;
import static io.hypercalld.core.dma.DmaOperations.Shortage.UNCHECKED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.DmaPermission;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which bus addresses buffers get, and what is mapped there. */
final class RemappedDmaTest {
  private static final DmaDevice WIDE = new DmaDevice("0000:03:00.0", 64);
  private static final DmaDevice NARROW = new DmaDevice("0000:03:00.0", 32);
  private static final long ABSENT = 0x1000_0900L;

  private final Table table = new Table();
  private final RemappedDma dma = new RemappedDma(table);

  /** What a unit would translate: bus page to guest frame. */
  private static final class Table implements RemappingCalls {
    private final TreeMap<Long, Long> pages = new TreeMap<>();
    private int calls;

    @Override
    public void attach(DmaDevice device) {}

    @Override
    public void close() {}

    @Override
    public void map(DmaDevice device, Run run, DmaPermission permission) {
      calls++;
      assertThat(run.pages()).isBetween(1, MOST_PAGES);
      if (run.gfn() <= ABSENT && ABSENT < run.gfn() + run.pages()) {
        throw Refusal.of(Errno.EINVAL, "nothing is at 0x%x", ABSENT);
      }
      for (int page = 0; page < run.pages(); page++) {
        assertThat(pages.put(run.bus() + page, run.gfn() + page)).isNull();
      }
    }

    @Override
    public void unmap(DmaDevice device, Run run) {
      calls++;
      for (int page = 0; page < run.pages(); page++) {
        assertThat(pages.remove(run.bus() + page)).isEqualTo(run.gfn() + page);
      }
    }
  }

  @Test
  void map_isWhereTheBufferIs_andThenElsewhere() {
    assertThat(dma.map(WIDE, 0x5800, 0x1000, TO_DEVICE, UNCHECKED)).isEqualTo(0x5800);
    assertThat(dma.map(WIDE, 0x5800, 0x1000, FROM_DEVICE, UNCHECKED)).isEqualTo(0x1800);

    assertThat(table.pages).containsOnlyKeys(1L, 2L, 5L, 6L).containsEntry(1L, 5L);
    assertThat(table.calls).isEqualTo(2);
  }

  @Test
  void unmap_leavesNothing() {
    long first = dma.map(WIDE, 0x5800, 0x1000, TO_DEVICE, UNCHECKED);
    long second = dma.map(WIDE, 0x5800, 0x1000, FROM_DEVICE, UNCHECKED);
    String empty = new StateDigest().put(new RemappedDma(table)).finish();

    dma.unmap(WIDE, second, 0x1000, FROM_DEVICE);
    assertThat(dma.isMapped(second)).isFalse();
    assertThat(dma.isMapped(first)).isTrue();
    dma.unmap(WIDE, first, 0x1000, TO_DEVICE);

    assertThat(table.pages).isEmpty();
    assertThat(new StateDigest().put(dma).finish()).isEqualTo(empty);
  }

  @Test
  void map_beyondTheDevicesMask_isBelowItWithoutACopy() {
    long bus = dma.map(NARROW, 0x1_2345_6000L, 0x3000, FROM_DEVICE, UNCHECKED);

    assertThat(bus).isEqualTo(0x1000);
    assertThat(table.pages).containsEntry(1L, 0x12_3456L).containsEntry(3L, 0x12_3458L);
    assertThat(dma.bounces()).isEmpty();
  }

  @Test
  void map_avoidsTheAddressesOfInterrupts() {
    long end = 0xfee0_0000L;

    dma.map(WIDE, 0x1000, Math.toIntExact(0x7000_0000L), FROM_DEVICE, UNCHECKED);
    dma.map(WIDE, 0x7000_1000L, Math.toIntExact(0x7000_0000L), FROM_DEVICE, UNCHECKED);
    dma.map(WIDE, 0xe000_1000L, (int) (end - 0xe000_1000L), FROM_DEVICE, UNCHECKED);

    assertThat(dma.map(WIDE, 0x1000, 0x1000, FROM_DEVICE, UNCHECKED)).isEqualTo(0xfef0_0000L);
    assertRefused(
        () -> dma.map(new DmaDevice("a", 31), 0, 1, FROM_DEVICE, UNCHECKED), Errno.ENOMEM);
  }

  @Test
  void map_refusedHalfWay_leavesNothing() {
    String before = new StateDigest().put(dma).finish();

    assertRefused(
        () -> dma.map(WIDE, (ABSENT - 300) << 12, 400 << 12, FROM_DEVICE, UNCHECKED), Errno.EINVAL);

    assertThat(table.calls).isEqualTo(3);
    assertThat(table.pages).isEmpty();
    assertThat(new StateDigest().put(dma).finish()).isEqualTo(before);
  }

  @Test
  void unmap_ofWhatIsNotMapped_isRefused() {
    long bus = dma.map(WIDE, 0x5000, 0x2000, TO_DEVICE, UNCHECKED);

    assertRefused(() -> dma.unmap(WIDE, bus, 0x1000, TO_DEVICE), Errno.EINVAL);
    assertRefused(() -> dma.unmap(WIDE, bus + 0x1000, 0x1000, TO_DEVICE), Errno.EINVAL);
    assertRefused(
        () -> dma.unmap(new DmaDevice("other", 64), bus, 0x2000, TO_DEVICE), Errno.EINVAL);
    assertRefused(() -> dma.sync(bus, 0x2001, FROM_DEVICE), Errno.EINVAL);
    dma.sync(bus + 0x1000, 0x1000, FROM_DEVICE);
  }

  private static void assertRefused(Runnable call, Errno errno) {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(call::run)
        .extracting(Refusal::errno)
        .isEqualTo(errno);
  }
}
