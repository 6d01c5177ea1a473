package io.hypercalld.core.kernel;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.AddressMode;
import io.hypercalld.core.dma.AddressModes;
import io.hypercalld.core.dma.BouncePool;
import io.hypercalld.core.dma.BouncingDma;
import io.hypercalld.core.dma.ContiguityMap;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.KernelMemory;
import io.hypercalld.core.dma.RemappedDma;
import io.hypercalld.core.dma.RemappingCalls;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.PageExchange;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.ExposeP2m;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Boots the kernel of a domain in its address mode. Confined to the machine thread.
 *
 * @see "Linux lib/swiotlb.c of Xen's tree, swiotlb_init_with_default_size"
 */
public final class KernelBoot {
  private static final int SEGMENT_ORDER = 6;
  private static final int OVERFLOW_ORDER = 3;

  /** Where the P2M is shown, as far as it is below that: at 1 TiB. */
  private static final long EXPOSED_TABLE = 1L << 28;

  /** Pages for what drivers share with devices, and for what they map of other domains. */
  private static final int SPARE_PAGES = 1024;

  private static final Gfn ALIGNMENT = new Gfn(1 << ContiguousRegions.MAX_ORDER);

  private final Domain domain;
  private final Ports ports;

  public KernelBoot(Domain domain, Ports ports) {
    this.domain = domain;
    this.ports = ports;
  }

  /**
   * What a kernel finds outside of itself.
   *
   * @param frames whose the machine's are
   */
  public record Ports(
      GuestCalls xen, KernelMemory memory, RemappingCalls remapping, FrameTable frames) {}

  /**
   * Boots it; one that runs is gone with all that it had mapped.
   *
   * @throws Refusal EOPNOTSUPP for a PV domain, whose memory is not simulated, and for a kernel
   *     that asks in batches in another mode than VP; ENOMEM where it has not enough memory in a
   *     row, or the machine not enough below the pool's limit beside that; EINVAL where somebody
   *     else maps a page of the pool; as {@code expose_p2m}. Nothing changed
   */
  public RunningKernel boot(KernelSettings settings) {
    if (domain.findP2m().isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", domain.id());
    }
    DmaMode mode = domain.facet(DomainDma.class).mode();
    if (settings.batch() && mode != DmaMode.VP) {
      throw Refusal.of(
          Errno.EOPNOTSUPP, "in mode %s there is nothing to ask for all pages of a list", mode);
    }
    KernelPages pages = KernelPages.within(domain.p2m(), pagesFor(mode, settings), ALIGNMENT);
    KernelParts parts =
        switch (mode) {
          case VP_IOMMU ->
              new KernelParts(ports.xen, new RemappedDma(ports.remapping), Optional.empty());
          case P2M, VP -> scattered(mode, pages, settings);
          case IDENTITY ->
              bouncing(
                  AddressModes.identity(),
                  Pool.of(pages, settings),
                  new ContiguityMap(),
                  Optional.empty());
        };
    domain.facet(GuestKernel.class).halt();
    RunningKernel kernel = new RunningKernel(domain, mode, pages, parts);
    domain.facet(GuestKernel.class).run(kernel);
    return kernel;
  }

  private static int pagesFor(DmaMode mode, KernelSettings settings) {
    int segments = settings.slabs() / KernelSettings.SEGMENT;
    int pool = mode.isChecked() ? 0 : segments << SEGMENT_ORDER;
    return pool + SPARE_PAGES;
  }

  /** Where bounce buffers are: pages of the kernel's, as they are. */
  private record Pool(List<Gfn> segments, Gfn overflow) {
    static Pool of(KernelPages pages, KernelSettings settings) {
      List<Gfn> segments = new ArrayList<>();
      for (int slab = 0; slab < settings.slabs(); slab += KernelSettings.SEGMENT) {
        segments.add(pages.take(SEGMENT_ORDER));
      }
      return new Pool(segments, pages.take(OVERFLOW_ORDER));
    }

    /** All pages, the overflow buffer's rounded up to a segment's. */
    List<Gfn> pages() {
      return Stream.concat(segments.stream(), Stream.of(overflow))
          .flatMap(first -> LongStream.range(0, 1L << SEGMENT_ORDER).mapToObj(first::plus))
          .toList();
    }
  }

  /** Of frames here and there; those of its pool are exchanged, which cannot be taken back. */
  private KernelParts scattered(DmaMode mode, KernelPages pages, KernelSettings settings) {
    Pool pool = Pool.of(pages, settings);
    ContiguityMap known = new ContiguityMap();
    ContiguousRegions regions = new ContiguousRegions(ports.xen, known);
    var limit = new ContiguousRegions.AddressBits(settings.dmaBits());
    new PageExchange(domain, ports.frames).rehearse(pool.pages(), SEGMENT_ORDER, limit.end());
    AddressMode addresses = mode == DmaMode.P2M ? exposed() : asking(settings);
    regions.create(pool.segments, SEGMENT_ORDER, limit);
    regions.create(pool.overflow, OVERFLOW_ORDER, limit);
    return bouncing(addresses, pool, known, Optional.of(regions));
  }

  private KernelParts bouncing(
      AddressMode addresses, Pool where, ContiguityMap known, Optional<ContiguousRegions> regions) {
    BouncePool pool =
        new BouncePool(
            address(where.segments.getFirst()),
            where.segments.stream().map(segment -> bus(addresses, segment)).toList(),
            new BouncePool.Overflow(address(where.overflow), bus(addresses, where.overflow)));
    return new KernelParts(
        ports.xen,
        new BouncingDma(addresses, new SoftwareIotlb(pool, ports.memory), known),
        regions);
  }

  private AddressMode exposed() {
    expose();
    return AddressModes.readingP2m(domain.facet(DomainDma.class));
  }

  private AddressMode asking(KernelSettings settings) {
    return AddressModes.asking(new PhysToMachQuestions(ports.xen, settings.batch()));
  }

  /** Has the P2M shown beyond all memory, unless a kernel before has done so. */
  private void expose() {
    long entries = PageSize.BYTES_4K / Long.BYTES;
    long pages = (endOfMemory() + entries - 1) / entries * entries;
    ExposeP2m call =
        new ExposeP2m(
            new Gfn(0), new Gfn(EXPOSED_TABLE), new Word(pages << PageSize.SHIFT_4K), entries);
    Outcome outcome = ports.xen.call(call);
    if (outcome instanceof Outcome.Refused refused && refused.errno() != Errno.EAGAIN) {
      throw Refusal.of(refused.errno(), "%s", refused.detail());
    }
  }

  private long endOfMemory() {
    long end = 0;
    Optional<P2mRun> next = domain.p2m().nextRun(new Gfn(0));
    while (next.isPresent() && next.get().gfn().value() < EXPOSED_TABLE) {
      P2mRun run = next.get();
      Gfn behind = run.gfn().plus(run.count() << run.order());
      end = run.type() == P2mType.RAM_RW ? behind.value() : end;
      next = domain.p2m().nextRun(behind);
    }
    return end;
  }

  private static Word address(Gfn gfn) {
    return new Word(gfn.value() << PageSize.SHIFT_4K);
  }

  private static Word bus(AddressMode addresses, Gfn gfn) {
    long frame = addresses.map(gfn.value(), DmaPermission.READ_WRITE);
    if (frame == AddressMode.NO_FRAME) {
      throw Refusal.of(Errno.EFAULT, "no frame is at guest frame %s of the pool", gfn);
    }
    return new Word(frame << PageSize.SHIFT_4K);
  }
}
