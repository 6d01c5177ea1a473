package io.hypercalld.core;

import io.hypercalld.core.console.Console;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.StrayDma;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFlag;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.domain.Host;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Reservation;
import io.hypercalld.core.event.EventChannels;
import io.hypercalld.core.guest.GuestAccess;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.hypercall.Continuations;
import io.hypercalld.core.hypercall.ControlCalls;
import io.hypercalld.core.hypercall.DomainCalls;
import io.hypercalld.core.hypercall.EventCalls;
import io.hypercalld.core.hypercall.FeatureCalls;
import io.hypercalld.core.hypercall.GrantCalls;
import io.hypercalld.core.hypercall.MemoryCalls;
import io.hypercalld.core.hypercall.PinCalls;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.kernel.GuestKernel;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.core.time.VirtualClock;
import java.util.Optional;

/**
 * The hypervisor without its devices: memory, frames, domains and the calls on them. Confined to
 * the machine thread.
 *
 * <p>To start one: construct it, register facets with {@link #domains}, then {@link #bootDom0}.
 */
public final class Hypervisor implements Digestible, AutoCloseable {
  private final VirtualClock clock = new VirtualClock();
  private final CallCounters calls = new CallCounters();
  private final Continuations continuations = new Continuations(calls);
  private final Console console = new Console(clock);
  private final Notices notices = new Notices();
  private final StrayDma strayDma = new StrayDma();
  private final HypervisorSettings settings;
  private final MachineMemory memory;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final DomainTable domains;
  private final DomainCalls domainCalls;
  private final MemoryCalls memoryCalls;
  private final FeatureCalls featureCalls;
  private final ControlCalls controlCalls;
  private final GrantCalls grantCalls;
  private final PinCalls pinCalls;
  private final EventCalls eventCalls;
  private final GuestMemory guestMemory;
  private final GuestAccess guestAccess;

  public Hypervisor(HypervisorSettings settings) {
    this.settings = settings;
    this.memory = new MachineMemory(settings.memoryMap());
    this.frames = new FrameTable(memory);
    this.allocator = new FrameAllocator(memory, frames);
    this.domains =
        new DomainTable(
            allocator,
            new Host(settings.iommu(), settings.snoop(), settings.addressWidth()),
            notices);
    // First of all facets, and so given up last: the others have ports.
    domains.addFacet(domain -> Optional.of(new EventChannels(domain, memory)));
    domains.addFacet(DomainInterrupts::of);
    domains.addFacet(domain -> DomainDma.of(domain, domains.host(), allocator));
    domains.addFacet(domain -> Optional.of(new GuestKernel()));
    this.domainCalls = new DomainCalls(domains, frames, continuations);
    this.memoryCalls = new MemoryCalls(allocator, domains, continuations);
    this.featureCalls = FeatureCalls.of(domains, continuations);
    this.controlCalls = ControlCalls.of(domains, frames, continuations);
    this.grantCalls = new GrantCalls(domains, allocator);
    this.pinCalls = new PinCalls(domains, frames);
    this.eventCalls = new EventCalls(domains);
    this.guestMemory = new GuestMemory(memory);
    this.guestAccess = new GuestAccess(memory);
  }

  /**
   * Creates dom0 with its memory, mapped from guest frame 0 on by the largest leaves, unless its
   * guest frames are to be machine frames, and lets it run; to be called once, after every facet is
   * registered.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the machine is too small for it
   */
  public Domain bootDom0() {
    long flags = DomainFlag.HVM.mask() | DomainFlag.HAP.mask();
    flags |= settings.iommu() ? DomainFlag.IOMMU.mask() : 0;
    Domain dom0 =
        domains.create(
            DomainId.DOM0, DomainSettings.of(DomainType.PVH, flags, settings.dom0Vcpus()));
    dom0.rename("Domain-0");
    dom0.ioPermissions().grantHardware(settings.addressWidth());
    dom0.p2m().types().setIoCapabilities(true);
    dom0.addVcpus(settings.dom0Vcpus());
    dom0.reservation().limit(Reservation.UNLIMITED);
    dom0.facet(DomainDma.class).choose(settings.dom0Mode());
    populate(dom0, settings.dom0Bytes() >>> PageSize.SHIFT_4K);
    domains.start(dom0);
    return dom0;
  }

  /** From guest frame 0 on, or where the frames are, by the largest leaves that are free. */
  private void populate(Domain domain, long pages) {
    PhysicalMap map = domain.physicalMap().orElseThrow();
    if (settings.dom0Mode().equals(Optional.of(DmaMode.IDENTITY))) {
      map.populateIdentity(pages);
      return;
    }
    long gfn = 0;
    while (gfn < pages) {
      PageSize size = largestFree(gfn, pages);
      long mfn = domain.reservation().allocate(size.order(), Long.MAX_VALUE);
      map.populate(new Gfn(gfn), new Mfn(mfn), size.frames());
      gfn += size.frames();
    }
  }

  private PageSize largestFree(long gfn, long end) {
    PageSize best = PageSize.SIZE_4K;
    for (PageSize size : PageSize.values()) {
      boolean fits = (gfn & (size.frames() - 1)) == 0 && end - gfn >= size.frames();
      if (fits && allocator.hasBlock(size)) {
        best = size;
      }
    }
    return best;
  }

  public MachineMemory memory() {
    return memory;
  }

  public FrameTable frames() {
    return frames;
  }

  public FrameAllocator allocator() {
    return allocator;
  }

  public DomainTable domains() {
    return domains;
  }

  public DomainCalls domainCalls() {
    return domainCalls;
  }

  public MemoryCalls memoryCalls() {
    return memoryCalls;
  }

  public FeatureCalls featureCalls() {
    return featureCalls;
  }

  public ControlCalls controlCalls() {
    return controlCalls;
  }

  public GrantCalls grantCalls() {
    return grantCalls;
  }

  public GuestAccess guestAccess() {
    return guestAccess;
  }

  public PinCalls pinCalls() {
    return pinCalls;
  }

  public EventCalls eventCalls() {
    return eventCalls;
  }

  public GuestMemory guestMemory() {
    return guestMemory;
  }

  /**
   * Continuations of the machine as a whole. Hypercalls are counted by whoever dispatches them, as
   * not all are the core's.
   */
  public CallCounters calls() {
    return calls;
  }

  /** The machine's clock. */
  public VirtualClock clock() {
    return clock;
  }

  /** What the hypervisor says. */
  public Console console() {
    return console;
  }

  /** What happens, for whoever watches. */
  public Notices notices() {
    return notices;
  }

  /** What devices reached that is none of their domains' business. */
  public StrayDma strayDma() {
    return strayDma;
  }

  /** Where long operations stop. */
  public Continuations continuations() {
    return continuations;
  }

  /** P2M counts of all domains, those gone included. */
  public P2mCounters p2mCounters() {
    P2mCounters sum = new P2mCounters();
    sum.add(domains.departed());
    domains.all().forEach(d -> d.findP2m().ifPresent(p2m -> sum.add(p2m.counters())));
    return sum;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("hypervisor")
        .put(memory)
        .put(frames)
        .put(allocator)
        .put(domains)
        .put(continuations)
        .put(clock)
        .put(console);
  }

  @Override
  public void close() {
    memory.close();
  }
}
