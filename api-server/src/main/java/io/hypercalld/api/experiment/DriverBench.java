package io.hypercalld.api.experiment;

import io.hypercalld.api.driver.Driver;
import io.hypercalld.api.driver.DriverReport;
import io.hypercalld.api.driver.DriverScript;
import io.hypercalld.api.machine.BootKernel;
import io.hypercalld.api.machine.BootOptions;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.machine.RunDriver;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A machine with a driver domain in one address mode, which has two functions of a network card,
 * and a domain that it serves. Confined to the thread that runs the experiment.
 */
final class DriverBench implements AutoCloseable {
  /** Its drivers use the DMA API. */
  static final Sbdf CARD = new Sbdf(0, 3, 0x10, 0);

  /** Its driver has never heard of it. */
  static final Sbdf OLD_CARD = new Sbdf(0, 3, 0x10, 1);

  private static final long MACHINE_BYTES = 3L << 30;
  private static final long DRIVER_BYTES = 64 << 20;
  private static final long FRONTEND_BYTES = 16 << 20;
  private static final int SLABS = 1024;

  private final Machine machine;
  private final Domain driver;
  private final Domain frontend;

  DriverBench(DmaMode mode) {
    this(mode, MACHINE_BYTES);
  }

  /** On a machine of so many bytes. */
  DriverBench(DmaMode mode, long bytes) {
    this.machine =
        new Machine(PlatformSource.named("two-socket").load().platform().withMemory(bytes));
    this.driver = compose(DRIVER_BYTES, MemoryPolicies.usual().with(mode));
    this.frontend = compose(FRONTEND_BYTES, MemoryPolicies.usual());
    give(CARD);
    give(OLD_CARD);
    boot(false);
  }

  private Domain compose(long bytes, MemoryPolicies policies) {
    return machine.execute(
        new ComposeDomain(Optional.empty(), Optional.empty(), DomainType.PVH, bytes, 1, policies));
  }

  private void give(Sbdf device) {
    Outcome outcome =
        machine.execute(new PlaceDevice(driver.id(), device, false, Optional.empty()));
    if (outcome instanceof Outcome.Refused refused) {
      throw Refusal.of(refused.errno(), "the bench is refused a device: %s", refused.detail());
    }
  }

  /**
   * Boots its kernel anew.
   *
   * @param batch whether it asks for all pages of a scatter list at once
   */
  RunningKernel boot(boolean batch) {
    BootOptions options = new BootOptions(Optional.of(SLABS), Optional.empty(), batch);
    return machine.execute(new BootKernel(driver.id(), options));
  }

  Machine machine() {
    return machine;
  }

  DmaMode mode() {
    return driver.facet(DomainDma.class).mode();
  }

  Domain driver() {
    return driver;
  }

  /** Has a driver do its work. */
  DriverReport run(DriverScript script) {
    return machine.execute(new RunDriver(driver.id(), script));
  }

  /** What a driver does where nobody says otherwise; an old one in a page that hurts somebody. */
  DriverScript script(Driver kind, long seed) {
    DriverScript usual =
        DriverScript.of(kind, Optional.of(kind == Driver.IDE ? OLD_CARD : CARD))
            .serving(frontend.id())
            .seeded(seed);
    boolean old = kind == Driver.IDE || kind == Driver.GART;
    return old ? unlucky().map(usual::in).orElse(usual) : usual;
  }

  /** A page of the driver domain's whose number is that of a frame of the domain it serves. */
  private Optional<Gfn> unlucky() {
    FrameTable frames = machine.hypervisor().frames();
    long end = DRIVER_BYTES >>> PageSize.SHIFT_4K;
    for (long gfn = 1; gfn < end; gfn++) {
      boolean memory = driver.p2m().lookup(new Gfn(gfn)).type() == P2mType.RAM_RW;
      if (memory && frames.contains(gfn) && frames.owner(gfn) == frontend.id().value()) {
        return Optional.of(new Gfn(gfn));
      }
    }
    return Optional.empty();
  }

  /** Bus addresses of pages that the kernel has mapped for the card. */
  List<Long> mapped(int pages) {
    RunningKernel kernel = boot(false);
    DmaDevice card = new DmaDevice(CARD.toString(), Long.SIZE);
    kernel.probe(card);
    List<RunningKernel.Buffer> buffers = new ArrayList<>();
    for (int i = 0; i < pages; i++) {
      long gpa = kernel.pages().take(0).value() << PageSize.SHIFT_4K;
      buffers.add(new RunningKernel.Buffer(gpa, PageSize.BYTES_4K));
    }
    return kernel.map(card, buffers, DmaDirection.BIDIRECTIONAL);
  }

  /** Commands that made units forget translations so far. */
  long flushes() {
    return machine.units().stream()
        .mapToLong(
            unit ->
                Arrays.stream(InvalidationGranularity.values())
                    .mapToLong(unit.counters()::iotlbInvalidations)
                    .sum())
        .sum();
  }

  @Override
  public void close() {
    machine.close();
  }
}
