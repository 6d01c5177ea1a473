package io.hypercalld.iommu.driver;

import io.hypercalld.core.dma.AddressMode;
import io.hypercalld.core.dma.AddressModes;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.hypercall.AllocContext;
import io.hypercalld.iommu.hypercall.IommuCalls;
import io.hypercalld.iommu.hypercall.MapPages;
import io.hypercalld.iommu.hypercall.ReattachDevice;
import io.hypercalld.iommu.hypercall.UnmapPages;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What a page costs that a kernel tells its device of and takes back, in each address mode: behind
 * a unit 256 pages are mapped and unmapped by two hypercalls, with one flush; the P2M and P==M
 * modes ask nobody and allocate nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class GuestContextBenchmark {
  private static final int PAGES = 256;
  private static final long FIRST = 0x1000;

  private final SimulatedMachine machine = SimulatedMachine.boot();
  private final IommuCalls calls = new IommuCalls(machine.hypervisor.domains());
  private final MapPages map = new MapPages(1, new Gfn(FIRST), new Gfn(0x5000), PAGES, 3);
  private final UnmapPages unmap = new UnmapPages(1, new Gfn(0x5000), PAGES);
  private final AddressMode identity = AddressModes.identity();
  private AddressMode readingP2m = identity;

  /** Dom0's network card goes through a context of its own; dom0 sees its P2M. */
  @Setup
  public void attach() {
    calls.allocContext(DomainId.DOM0, new AllocContext());
    calls.reattachDevice(DomainId.DOM0, new ReattachDevice(1, SimulatedMachine.NIC));
    Domain dom0 = machine.hypervisor.domains().byId(DomainId.DOM0);
    DomainDma dma = dom0.facet(DomainDma.class);
    dma.expose(new Gfn(0), 1 << 18, new Gfn(0x10_0000));
    readingP2m = AddressModes.readingP2m(dma);
  }

  @TearDown
  public void close() {
    machine.close();
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public Outcome vpIommuPair() {
    calls.mapPages(DomainId.DOM0, map);
    return calls.unmapPages(DomainId.DOM0, unmap);
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long p2mPair() {
    return pairs(readingP2m);
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long identityPair() {
    return pairs(identity);
  }

  private static long pairs(AddressMode mode) {
    long sum = 0;
    for (long gfn = FIRST; gfn < FIRST + PAGES; gfn++) {
      sum += mode.map(gfn, DmaPermission.READ_WRITE);
    }
    return sum;
  }
}
