package io.hypercalld.api.machine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.TlbInsertRace;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.ExposeP2m;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PhysToMach;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.hypercall.ZapPhysmap;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.iommu.hypercall.AllocContext;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.MapPages;
import io.hypercalld.iommu.hypercall.ReattachDevice;
import io.hypercalld.iommu.hypercall.UnmapPages;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaSegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A driver domain, a domain that grants it pages, and a device, to which random things happen in
 * random order, beside what a model says of every request of the device.
 */
final class AddressModeRun implements AutoCloseable {
  private static final Sbdf DEVICE = new Sbdf(0, 3, 0x10, 0);
  private static final int PAGES = 64;
  private static final int GRANTS = 16;
  private static final long GRANT_AREA = 0x5000;
  private static final long MEMORY = 8L << 20;
  private static final int GRANT_FRAME_GFN = 0x3000;
  private static final long SHOWN = 0x6000;

  private final Machine machine =
      new Machine(PlatformSource.named("two-socket").load().platform().withMemory(6L << 30));
  private final Map<Long, Told> told = new TreeMap<>();
  private final Map<Long, Long> handles = new TreeMap<>();
  private final RandomGenerator random;
  private final DmaMode mode;
  private final Domain driver;
  private final Domain granter;
  private final long first;
  long stale;

  /** What the device was told: a bus frame for a guest frame, which led to a frame then. */
  private record Told(long gfn, long mfn, boolean writable) {}

  AddressModeRun(DmaMode mode, RandomGenerator random) {
    this.mode = mode;
    this.random = random;
    this.granter = make(MemoryPolicies.usual());
    this.driver = make(MemoryPolicies.usual().with(mode));
    this.first = driver.p2m().nextRun(new Gfn(0)).orElseThrow().gfn().value();
    // While a page is swapped it is two.
    must(DomainId.DOM0, new MaxMem(driver.id(), new Word((MEMORY >>> 10) + 4)));
    must(DomainId.DOM0, new AssignDevice(driver.id(), DEVICE, 0, 0));
    if (mode == DmaMode.VP_IOMMU) {
      must(driver.id(), new AllocContext());
      must(driver.id(), new ReattachDevice(1, DEVICE));
    }
    if (mode == DmaMode.P2M) {
      must(driver.id(), new ExposeP2m(new Gfn(0), new Gfn(1L << 28), new Word(SHOWN << 12), 512));
    }
    prepareGrants();
  }

  private Domain make(MemoryPolicies policies) {
    return machine.execute(
        new ComposeDomain(Optional.empty(), Optional.empty(), DomainType.PVH, MEMORY, 1, policies));
  }

  /** Entry n of the granter's table grants its guest frame n, every second for reading only. */
  private void prepareGrants() {
    must(
        DomainId.DOM0, new AddToPhysmap(granter.id(), 0, 1, new Word(0), new Gfn(GRANT_FRAME_GFN)));
    for (int ref = 8; ref < 8 + GRANTS; ref++) {
      byte[] entry = {
        (byte) (ref % 2 == 0 ? 1 : 5), 0, (byte) driver.id().value(), 0, (byte) ref, 0, 0, 0
      };
      machine
          .hypervisor()
          .guestMemory()
          .write(granter, ((long) GRANT_FRAME_GFN << 12) + ref * 8L, entry);
    }
  }

  private Outcome.Success must(DomainId caller, Hypercall arguments) {
    Outcome outcome = machine.call(caller, arguments);
    assertThat(outcome).isInstanceOf(Outcome.Success.class);
    return (Outcome.Success) outcome;
  }

  private Outcome call(Hypercall arguments) {
    return machine.call(driver.id(), arguments);
  }

  /** One random thing. */
  void step() {
    switch (random.nextInt(13)) {
      case 0, 1, 2 -> tell();
      case 3, 4 -> takeBack();
      case 5 -> swap();
      case 6 -> balloon();
      case 7 -> mapGrant();
      case 8 -> unmapGrant();
      case 9 -> touch();
      case 10 -> race();
      default -> transfer();
    }
  }

  private long anyGfn() {
    return random.nextInt(3) == 0 ? GRANT_AREA + random.nextInt(GRANTS) : anyPage();
  }

  /** One of the first of its memory, which is not at 0 where guest frames are machine frames. */
  private long anyPage() {
    return first + random.nextInt(PAGES);
  }

  private long frameOf(long gfn) {
    return driver.p2m().lookup(new Gfn(gfn)).mfn().value();
  }

  private void tell() {
    long gfn = anyGfn();
    if (mode != DmaMode.VP_IOMMU) {
      long mfn = known(gfn);
      if (mfn != -1) {
        told.put(mfn, new Told(gfn, mfn, true));
      }
      return;
    }
    long dfn = random.nextInt(PAGES);
    boolean writable = random.nextBoolean();
    P2mType type = driver.p2m().lookup(new Gfn(gfn)).type();
    Outcome outcome = call(new MapPages(1, new Gfn(gfn), new Gfn(dfn), 1, writable ? 3 : 1));
    boolean possible =
        !told.containsKey(dfn)
            && (type == P2mType.RAM_RW
                || type == P2mType.GRANT_MAP_RW
                || (type == P2mType.GRANT_MAP_RO && !writable));
    assertThat(outcome instanceof Outcome.Success).as("%s: %s", type, outcome).isEqualTo(possible);
    if (possible) {
      told.put(dfn, new Told(gfn, frameOf(gfn), writable));
    }
  }

  /** What the kernel takes for the machine frame of a guest frame. */
  private long known(long gfn) {
    return switch (mode) {
      case P2M -> {
        long mfn = driver.facet(DomainDma.class).exposedFrame(gfn, DmaPermission.READ);
        assertThat(mfn).as("the table shows what is").isEqualTo(frameOf(gfn));
        yield mfn;
      }
      case IDENTITY -> gfn;
      case VP, VP_IOMMU -> {
        Outcome.Success found = must(driver.id(), new PhysToMach(new Gfn(gfn)));
        yield ((PhysToMach.Found) found.out()).mfn().value();
      }
    };
  }

  private void takeBack() {
    long bus = anyBus();
    if (mode == DmaMode.VP_IOMMU) {
      Outcome outcome = call(new UnmapPages(1, new Gfn(bus), 1));
      assertThat(outcome instanceof Outcome.Success).isEqualTo(told.containsKey(bus));
    }
    told.remove(bus);
  }

  private long anyBus() {
    List<Long> known = new ArrayList<>(told.keySet());
    return known.isEmpty() || random.nextInt(4) == 0
        ? random.nextInt(PAGES)
        : known.get(random.nextInt(known.size()));
  }

  /** The page leaves its guest frame: a device behind a unit reaches it no more. */
  private void left(long gfn) {
    if (mode == DmaMode.VP_IOMMU) {
      told.values().removeIf(was -> was.gfn == gfn);
    }
  }

  private void swap() {
    long gfn = anyPage();
    boolean inUse =
        mode == DmaMode.VP_IOMMU && told.values().stream().anyMatch(was -> was.gfn == gfn);
    long before = frameOf(gfn);
    var page =
        new Exchange.Reservation(
            DomainId.SELF, GuestFrames.of(new Gfn(gfn)), Optional.empty(), 0, new Word(0));
    Outcome outcome = call(new Exchange(page, page, 0, 0));
    boolean done = outcome instanceof Outcome.Success;
    boolean possible = mode != DmaMode.IDENTITY && !inUse && before != -1;
    assertThat(done).as("%s", outcome).isEqualTo(possible);
    assertThat(frameOf(gfn) == before).isNotEqualTo(done);
  }

  private void balloon() {
    long gfn = anyPage();
    if (random.nextBoolean()) {
      must(
          driver.id(),
          new DecreaseReservation(
              DomainId.SELF, GuestFrames.of(new Gfn(gfn)), Optional.empty(), 0, new Word(0)));
    } else {
      must(driver.id(), new ZapPhysmap(new Gfn(gfn), 0));
    }
    left(gfn);
    assertThat(frameOf(gfn)).isEqualTo(-1);
    if (random.nextInt(3) != 0) {
      must(
          driver.id(),
          new PopulatePhysmap(
              DomainId.SELF, GuestFrames.of(new Gfn(gfn)), Optional.empty(), 0, new Word(0), 0));
    }
  }

  private void mapGrant() {
    int ref = 8 + random.nextInt(GRANTS);
    long gfn = GRANT_AREA + random.nextInt(GRANTS);
    if (handles.containsKey(gfn)) {
      return;
    }
    long flags = ref % 2 == 0 && random.nextBoolean() ? 2 : 6;
    Outcome.Success done =
        must(driver.id(), new MapGrantRef(new Word(gfn << 12), flags, ref, granter.id()));
    MapGrantRef.Mapped mapped = (MapGrantRef.Mapped) done.out();
    assertThat(mapped.status()).isZero();
    handles.put(gfn, mapped.handle().orElseThrow());
  }

  private void unmapGrant() {
    long gfn = GRANT_AREA + random.nextInt(GRANTS);
    Long handle = handles.remove(gfn);
    if (handle != null) {
      must(driver.id(), new UnmapGrantRef(new Word(gfn << 12), new Word(0), handle));
      left(gfn);
    }
  }

  /** A processor's TLB is filled with what the P2M says now, and leads where that does. */
  private void touch() {
    long gfn = anyPage();
    long mfn = frameOf(gfn);
    AccessOutcome read =
        machine.execute(
            new AccessGuest(
                driver.id(),
                new GuestRequest(0, new Word(gfn << 12), 8, Operation.READ, new Word(0))));
    assertThat(read.outcome() == AccessOutcome.Verdict.DONE).isEqualTo(mfn != -1);
    if (mfn != -1) {
      long there = machine.hypervisor().memory().readWord(mfn << 12);
      assertThat(read.data().orElseThrow().value()).isEqualTo(there);
    }
  }

  /** A processor inserts a translation while the frame behind it is swapped, in some order. */
  private void race() {
    long gfn = anyPage();
    long before = frameOf(gfn);
    if (before == -1) {
      return;
    }
    var page = new TlbInsertRace.Page(driver, machine.hypervisor().frames(), new Gfn(gfn));
    int choices = random.nextInt(1 << TlbInsertRace.MOST_CHOICES);
    TlbInsertRace.Run run = TlbInsertRace.run(page, true, TlbInsertRace.Purge.AFTER_SWAP, choices);
    assertThat(run.stale()).as("%s", run.steps()).isFalse();
    assertThat(frameOf(gfn)).isNotEqualTo(before);
    assertThat(machine.hypervisor().frames().m2p(frameOf(gfn))).isEqualTo(gfn);
    left(gfn);
  }

  private void transfer() {
    long bus = anyBus();
    boolean writing = random.nextBoolean() && maySpoil(bus);
    DeviceDma.Result result =
        machine.execute(
            new DeviceDma(
                DEVICE,
                new Word(bus << 12),
                8,
                writing ? Optional.of(new HexBytes(new byte[8])) : Optional.empty()));
    if (mode == DmaMode.VP_IOMMU) {
      checkTranslated(bus, writing, result);
    } else {
      checkUntranslated(bus, writing, result);
    }
  }

  /** Without a unit a device overwrites the hypervisor's tables as well: that ends every run. */
  private boolean maySpoil(long bus) {
    return mode == DmaMode.VP_IOMMU || machine.hypervisor().frames().use(bus) == FrameUse.GUEST_RAM;
  }

  private void checkTranslated(long bus, boolean writing, DeviceDma.Result result) {
    Told was = told.get(bus);
    boolean passes = was != null && (!writing || was.writable);
    assertThat(result.outcome().verdict() == DmaOutcome.Verdict.DONE).isEqualTo(passes);
    assertThat(result.victims()).isEmpty();
    if (passes) {
      DmaSegment segment = result.outcome().segments().getFirst();
      long reached = ((DmaSegment.Moved) segment.end()).maddr() >>> 12;
      Told there = requireNonNull(was);
      assertThat(reached).isEqualTo(there.mfn).isEqualTo(frameOf(there.gfn));
    }
  }

  private void checkUntranslated(long bus, boolean writing, DeviceDma.Result result) {
    assertThat(result.outcome().verdict()).isEqualTo(DmaOutcome.Verdict.DONE);
    boolean own = machine.hypervisor().frames().owner(bus) == driver.id().value();
    boolean granted =
        handles.keySet().stream()
            .anyMatch(
                gfn -> {
                  P2mType type = driver.p2m().lookup(new Gfn(gfn)).type();
                  return frameOf(gfn) == bus && !(writing && type == P2mType.GRANT_MAP_RO);
                });
    assertThat(result.victims().isEmpty()).isEqualTo(own || granted);
    Told was = told.get(bus);
    if (was != null && frameOf(was.gfn) != bus) {
      stale++;
    }
  }

  void assertConsistent() {
    assertThat(machine.violations()).isEmpty();
  }

  @Override
  public void close() {
    machine.close();
  }
}
