package io.hypercalld.api.driver;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.hypercalld.api.driver.DriverReport.Costs;
import io.hypercalld.api.driver.DriverReport.Step;
import io.hypercalld.api.driver.DriverReport.Verdict;
import io.hypercalld.api.driver.DriverReport.Victim;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * A driver at work: what it does, counted and judged. Confined to the machine thread, used once.
 *
 * <p>An access is judged by the frame that it reached and the one that the driver meant when it
 * told the device where to go.
 */
final class DriverRun {
  private final List<Step> steps = new ArrayList<>();
  private final List<Victim> victims = new ArrayList<>();
  private final DriverHost host;
  private final Domain domain;
  private final DriverScript script;
  private final RunningKernel kernel;
  private final Random bytes;
  private final long bouncedBefore;
  private long mapCalls;
  private long unmapCalls;
  private long otherCalls;
  private long accesses;
  private long unmapped;
  private boolean faulted;

  DriverRun(DriverHost host, Domain domain, DriverScript script) {
    this.host = host;
    this.domain = domain;
    this.script = script;
    this.kernel = host.kernel(domain);
    this.bytes = new Random(script.seed());
    this.bouncedBefore = bounced();
  }

  /** A step did not succeed, so that none follows. */
  static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failed() {
      super(null, null, false, false);
    }
  }

  DriverHost host() {
    return host;
  }

  Domain domain() {
    return domain;
  }

  DriverScript script() {
    return script;
  }

  RunningKernel kernel() {
    return kernel;
  }

  FrameTable frames() {
    return host.hypervisor().frames();
  }

  Sbdf sbdf() {
    return script.device().orElseThrow();
  }

  DmaDevice device() {
    return new DmaDevice(sbdf().toString(), script.maskBits());
  }

  /** A step that succeeded. */
  @FormatMethod
  void did(String primitive, @FormatString String format, Object... values) {
    steps.add(new Step(primitive, true, format.formatted(values)));
  }

  /** A step that did not: the driver gives up. */
  @FormatMethod
  Failed failed(String primitive, @FormatString String format, Object... values) {
    steps.add(new Step(primitive, false, format.formatted(values)));
    return new Failed();
  }

  /** Makes a hypercall for the driver's domain. */
  Outcome call(Hypercall arguments) {
    long before = domain.calls().hypercalls();
    Outcome outcome = host.call(domain.id(), arguments);
    otherCalls += domain.calls().hypercalls() - before;
    return outcome;
  }

  /** {@code dma_map_sg}: bus addresses of whole pages. */
  List<Long> map(List<Gfn> pages, DmaDirection direction) {
    long before = domain.calls().hypercalls();
    try {
      kernel.probe(device());
      before = domain.calls().hypercalls();
      List<Long> found = kernel.map(device(), buffers(addresses(pages)), direction);
      did("dma_map_sg", "%d pages for %s", pages.size(), device().name());
      return found;
    } catch (Refusal refusal) {
      throw failed("dma_map_sg", "%s: %s", refusal.errno(), refusal.reason());
    } finally {
      mapCalls += domain.calls().hypercalls() - before;
    }
  }

  /** {@code dma_unmap_sg}. */
  void unmap(List<Long> mapped, DmaDirection direction) {
    long before = domain.calls().hypercalls();
    try {
      kernel.unmap(device(), buffers(mapped), direction);
      did("dma_unmap_sg", "%d pages", mapped.size());
    } catch (Refusal refusal) {
      throw failed("dma_unmap_sg", "%s: %s", refusal.errno(), refusal.reason());
    } finally {
      unmapCalls += domain.calls().hypercalls() - before;
    }
  }

  private static List<Long> addresses(List<Gfn> pages) {
    return pages.stream().map(page -> page.value() << PageSize.SHIFT_4K).toList();
  }

  private static List<RunningKernel.Buffer> buffers(List<Long> addresses) {
    return addresses.stream()
        .map(address -> new RunningKernel.Buffer(address, PageSize.BYTES_4K))
        .toList();
  }

  /** A page of bytes that nobody has seen yet. */
  byte[] page() {
    byte[] page = new byte[PageSize.BYTES_4K];
    bytes.nextBytes(page);
    return page;
  }

  /**
   * Where a driver means an access to be.
   *
   * @param frame empty for one of the kernel's own, where it bounces
   * @param owner who has the frame
   */
  record Meant(Optional<Mfn> frame, int owner) {}

  /** What a driver means by a bus address who mapped a page of somebody's there. */
  Meant meant(long bus, Domain owner, Gfn gfn) {
    return switch (kernel.dma().place(bus)) {
      case BOUNCED, OVERFLOW -> new Meant(Optional.empty(), domain.id().value());
      case DIRECT, REMAPPED -> meant(owner, gfn);
    };
  }

  /** What a driver means who thinks of a page of somebody's. */
  Meant meant(Domain owner, Gfn gfn) {
    return new Meant(Optional.of(owner.p2m().lookup(gfn).mfn()), owner.id().value());
  }

  /** The device writes bytes, all in one page, that were meant for a frame. */
  void write(long bus, byte[] data, Meant meant) {
    judge(host.dma(sbdf(), bus, data.length, Optional.of(new HexBytes(data))), bus, meant, "write");
  }

  /** The device reads, as {@link #write}. */
  byte[] read(long bus, int length, Meant meant) {
    DriverHost.Moved moved = host.dma(sbdf(), bus, length, Optional.empty());
    judge(moved, bus, meant, "read");
    return moved.data().toByteArray();
  }

  private void judge(DriverHost.Moved moved, long bus, Meant meant, String use) {
    accesses++;
    unmapped += kernel.dma().isMapped(bus) ? 0 : 1;
    DmaSegment.End end = moved.outcome().segments().getFirst().end();
    if (end instanceof DmaSegment.Moved(long maddr, var _, var _, var _)) {
      Mfn reached = Mfn.containing(maddr);
      did("device " + use, "0x%x on the bus is frame %s", bus, reached);
      if (!isRight(reached, meant)) {
        victims.add(victim(reached, use));
      }
    } else {
      faulted = true;
      steps.add(new Step("device " + use, false, "0x%x on the bus: %s".formatted(bus, end)));
    }
  }

  /** Whether it is the frame that was meant, and still that of whom it was. */
  private boolean isRight(Mfn reached, Meant meant) {
    return frames().contains(reached.value())
        && frames().references(reached.value()) > 0
        && frames().owner(reached.value()) == meant.owner
        && meant.frame.map(reached::equals).orElseGet(() -> isOfKernel(reached));
  }

  private boolean isOfKernel(Mfn mfn) {
    long gfn = frames().m2p(mfn.value());
    return gfn >= 0 && kernel.pages().contains(new Gfn(gfn));
  }

  private Victim victim(Mfn mfn, String use) {
    boolean known = frames().contains(mfn.value());
    long gfn = known ? frames().m2p(mfn.value()) : FrameTable.INVALID_M2P;
    return new Victim(
        mfn,
        Optional.of(mfn)
            .filter(_ -> known && frames().references(mfn.value()) > 0)
            .map(frame -> frames().owner(frame.value()))
            .filter(owner -> owner != FrameTable.NO_OWNER),
        gfn < 0 ? Optional.empty() : Optional.of(new Gfn(gfn)),
        use);
  }

  /** Whether a page of somebody's holds the bytes, as processors see it. */
  boolean holds(Domain owner, Gfn gfn, byte[] expected) {
    return Arrays.equals(
        host.hypervisor()
            .guestMemory()
            .read(owner, gfn.value() << PageSize.SHIFT_4K, expected.length),
        expected);
  }

  /** What has become of it. */
  DriverReport report(boolean arrived) {
    Optional<Step> failure = steps.stream().filter(step -> !step.done()).findFirst();
    Verdict verdict;
    if (!victims.isEmpty()) {
      verdict = Verdict.WRONG_FRAME;
    } else if (faulted) {
      verdict = Verdict.FAULT;
    } else if (failure.isPresent()) {
      verdict = Verdict.REFUSED;
    } else {
      verdict = arrived ? Verdict.RIGHT_FRAME : Verdict.LOST;
    }
    return new DriverReport(
        script.driver(), kernel.mode(), verdict, failure, steps, victims, costs());
  }

  private Costs costs() {
    return new Costs(
        mapCalls, unmapCalls, otherCalls, accesses, unmapped, bounced() - bouncedBefore);
  }

  private long bounced() {
    return kernel.bounces().map(pool -> pool.counters().bytesBounced()).orElse(0L);
  }
}
