package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.driver.SimulatedMachine;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What shadows cost, of a table in leaves of 4 KiB that maps 4 MiB or 4 GiB: what names pages costs
 * the same for both, what names a domain-id costs the table, and a request costs what it costs
 * through the domain's own table.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ShadowSyncBenchmark {
  private static final long PAGE = 77;

  /** Pages of the guest's table, and of its RAM. */
  @Param({"1024", "1048576"})
  public int pages;

  /** Whether neighbours in the device's addresses are neighbours in memory. */
  @Param({"true", "false"})
  public boolean consecutive;

  private final byte[] target = new byte[8];
  private ShadowedGuest guest = new ShadowedGuest(SimulatedMachine.boot(), 512);
  private int round;

  /** The shadow is built. */
  @Setup(Level.Trial)
  public void build() {
    guest.close();
    guest = new ShadowedGuest(SimulatedMachine.large(), pages);
    guest.map(layout(0));
    guest.translate(true);
    guest.iommu.virtualDevices().remember(ShadowedGuest.SEEN, 64);
  }

  @TearDown(Level.Trial)
  public void release() {
    guest.close();
  }

  private LongUnaryOperator layout(int shift) {
    return consecutive
        ? page -> (page + shift) % pages
        : page -> ((page + shift) * 0x9e37_79b1L) % pages;
  }

  /** One page of the table changes, and is named. */
  @Benchmark
  public void pageChanged() {
    guest.map(PAGE, ++round & 1);
    guest.forget(PAGE, 0);
  }

  /** The frame behind one page goes, and another comes. */
  @Benchmark
  public void frameChanged() {
    guest.machine.remove(guest.domain, PAGE);
    guest.machine.add(guest.domain, PAGE);
  }

  /** The domain-id is named, and nothing has changed. */
  @Benchmark
  public void nothingChanged() {
    guest.forgetAll();
  }

  /** The stores of a guest that has everything lead elsewhere: to be taken off the next. */
  @Benchmark
  public void bareEdits() {
    guest.map(layout(++round & 1));
  }

  /** Everything leads elsewhere, and the domain-id is named. */
  @Benchmark
  public void everythingChanged() {
    bareEdits();
    guest.forgetAll();
  }

  /** A request of the device's, through the shadow. */
  @Benchmark
  public DmaOutcome dma() {
    return guest.machine.read(ShadowedGuest.DEVICE, PAGE << 12, target);
  }

  /** The same for a device that nobody translates for: through the domain's own table. */
  @Benchmark
  public DmaOutcome dmaThroughTheDomainsTable() {
    return guest.machine.read(ShadowedGuest.UNTRANSLATED, PAGE << 12, target);
  }

  /** An emulated device's translation that it remembers. */
  @Benchmark
  public VirtualDevices.Told rememberedTranslation() {
    return guest
        .iommu
        .virtualDevices()
        .translate(ShadowedGuest.SEEN, new Word(PAGE << 12), ShadowedGuest.READ);
  }
}
