package io.hypercalld.core.dma;

import static io.hypercalld.core.dma.DmaDirection.FROM_DEVICE;
import static io.hypercalld.core.dma.DmaOperations.Shortage.UNCHECKED;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.hypercall.Dom0VpCalls;
import io.hypercalld.core.hypercall.ExposeP2m;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;

/**
 * Kernels of a simulated host that map a page for a device and unmap it, one page after the other,
 * in the modes that ask nobody. Confined to the thread that runs them.
 */
final class DmaApiPairs implements AutoCloseable {
  private static final DmaDevice DEVICE = new DmaDevice("0000:03:00.0", 64);
  private static final int PAGES = 1 << 12;
  private static final int PAGE = 4096;
  private static final long TABLE = 1L << 28;
  private static final long POOL = 0x400_0000;

  private final SimulatedHost host = SimulatedHost.booted();
  private final BouncingDma p2m = kernel(AddressModes.readingP2m(exposed()));
  private final BouncingDma identity = kernel(AddressModes.identity());
  private long gfn;

  private Domain dom0() {
    return host.hypervisor().domains().byId(DomainId.DOM0);
  }

  private DomainDma exposed() {
    DomainDma dma = dom0().facet(DomainDma.class);
    dma.choose(Optional.of(DmaMode.P2M));
    new Dom0VpCalls(host.hypervisor().domains(), host.hypervisor().frames())
        .exposeP2m(
            DomainId.DOM0,
            new ExposeP2m(new Gfn(0), new Gfn(TABLE), new Word((long) PAGES * PAGE), 512));
    return dma;
  }

  private BouncingDma kernel(AddressMode mode) {
    GuestMemory memory = host.hypervisor().guestMemory();
    Domain dom0 = dom0();
    KernelMemory own =
        (from, to, length) ->
            memory.write(dom0, to.value(), memory.read(dom0, from.value(), length));
    BouncePool pool =
        new BouncePool(
            new Word(POOL),
            List.of(new Word(1L << 40)),
            new BouncePool.Overflow(new Word(POOL), new Word(1L << 41)));
    return new BouncingDma(mode, new SoftwareIotlb(pool, own), new ContiguityMap());
  }

  @Override
  public void close() {
    host.close();
  }

  private long nextAddress() {
    gfn = (gfn + 677) & (PAGES - 1);
    return gfn * PAGE;
  }

  long p2m() {
    return pair(p2m, nextAddress());
  }

  long identity() {
    return pair(identity, nextAddress());
  }

  long bounced() {
    return pair(p2m, (nextAddress() & 0xff_ffff) + 2048);
  }

  /** Each page once in both modes. */
  void warm() {
    for (int page = 0; page < PAGES; page++) {
      p2m();
      identity();
    }
  }

  private static long pair(BouncingDma kernel, long gpa) {
    long bus = kernel.map(DEVICE, gpa, PAGE, FROM_DEVICE, UNCHECKED);
    kernel.unmap(DEVICE, bus, PAGE, FROM_DEVICE);
    return bus;
  }
}
