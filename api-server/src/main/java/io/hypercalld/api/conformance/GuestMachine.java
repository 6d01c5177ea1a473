package io.hypercalld.api.conformance;

import io.hypercalld.api.machine.AccessGuest;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DeviceDma;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.PlaceDevice;
import io.hypercalld.api.machine.WriteGuestMemory;
import io.hypercalld.api.platform.EmbeddedPlatforms;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.SyncTrigger;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.RemappableMessage;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * A guest as what a recorded driver is put to: its virtual unit is the recorded one, its memory is
 * scattered over the machine's, and the recorded devices are devices of the machine that it was
 * given. What they reach, they reach through shadows. Confined to one thread.
 */
final class GuestMachine implements CaptureHost {
  private static final int KIB_SHIFT = 10;
  private static final long SEED_BYTES = 2 << 20;
  private static final long RAM_BYTES = 2L << 30;
  private static final long MACHINE_BYTES = 8L << 30;
  private static final long POOL_BYTES = 64 << 20;
  private static final int ORDER_2M = PageSize.SIZE_2M.order();
  private static final int LARGE_PAGES = (int) (RAM_BYTES >>> (PageSize.SHIFT_4K + ORDER_2M));

  /** Coprime to the number of pages: neighbours of the guest's are none of the machine's. */
  private static final int STRIDE = 389;

  /** One large page of so many is made up of small ones, backwards. */
  private static final int SPLIT = 4;

  /** One whose units translate through two levels of tables. */
  private static final String NESTING_PLATFORM = "scalable";

  /** Virtual functions, of which no two share a group. */
  private static final int FIRST_DEVICE = 0x10;

  private static final int FUNCTIONS = 8;

  private final Machine machine;
  private final Domain guest;
  private final VirtualIommu iommu;
  private final Map<Integer, Sbdf> devices = new TreeMap<>();
  private final GuestWindow window = new GuestWindow();
  private long requests;
  private long lost;
  private long followedUp;
  private long unbacked;

  /** A guest whose unit announces what the recorded one did, and no device but these. */
  GuestMachine(Capabilities capabilities, Set<Integer> requesters) {
    boolean scalable = capabilities.scalableMode();
    String platform = scalable ? NESTING_PLATFORM : EmbeddedPlatforms.DEFAULT;
    machine =
        new Machine(PlatformSource.named(platform).load().platform().withMemory(MACHINE_BYTES));
    guest =
        machine.execute(
            new ComposeDomain(
                Optional.empty(),
                Optional.empty(),
                DomainType.HVM,
                SEED_BYTES,
                1,
                MemoryPolicies.usual()));
    populate();
    requesters.forEach(this::give);
    iommu = machine.virtualIommus().of(guest);
    iommu.create(
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE,
            true,
            true,
            scalable,
            capabilities.cachingMode(),
            ShadowSync.STRICT),
        UnitSettings.of(UnitVersion.V1_0, capabilities, capabilities.maximumGuestAddressWidth())
            .withHabits(Habits.LENIENT));
  }

  private void populate() {
    call(new MaxMem(guest.id(), new Word(RAM_BYTES >>> KIB_SHIFT)));
    call(new SetPagingMempoolSize(guest.id(), new Word(POOL_BYTES)));
    for (int turn = 1; turn < LARGE_PAGES; turn++) {
      int page = turn * STRIDE % LARGE_PAGES;
      Gfn first = new Gfn((long) page << ORDER_2M);
      if (page % SPLIT == 0) {
        populate(backwards(first), 0);
      } else {
        populate(GuestFrames.of(first), ORDER_2M);
      }
    }
  }

  private static GuestFrames backwards(Gfn first) {
    return new GuestFrames.Listed(
        LongStream.range(0, 1L << ORDER_2M)
            .mapToObj(at -> new Gfn(first.value() + (1L << ORDER_2M) - 1 - at))
            .toList());
  }

  private void populate(GuestFrames frames, int order) {
    call(new PopulatePhysmap(guest.id(), frames, Optional.empty(), order, new Word(0), 0));
  }

  private void call(Hypercall hypercall) {
    if (machine.call(DomainId.DOM0, hypercall) instanceof Outcome.Refused refused) {
      throw new IllegalStateException(hypercall + ": " + refused.detail());
    }
  }

  /** Gives the guest a device of the machine as the one that the driver had. */
  private void give(int requester) {
    int number = devices.size();
    Sbdf device = new Sbdf(0, 3, FIRST_DEVICE + number / FUNCTIONS, number % FUNCTIONS);
    Optional<Sbdf> seen = Optional.of(new SourceId(requester).in(0));
    if (machine.execute(new PlaceDevice(guest.id(), device, false, seen))
        instanceof Outcome.Refused refused) {
      throw new IllegalStateException(device + ": " + refused.detail());
    }
    devices.put(requester, device);
  }

  /** The machine that the guest runs on. */
  Machine machine() {
    return machine;
  }

  @Override
  public RemappingUnit unit() {
    return iommu.requireUnit().silicon();
  }

  @Override
  public Mmio window() {
    return window;
  }

  /** The guest's accesses to its register window. */
  private final class GuestWindow implements Mmio {
    @Override
    public int read32(int offset) {
      return (int) access(offset, Integer.BYTES, OptionalLong.empty());
    }

    @Override
    public void write32(int offset, int value) {
      access(offset, Integer.BYTES, OptionalLong.of(Integer.toUnsignedLong(value)));
    }

    @Override
    public long read64(int offset) {
      return access(offset, Long.BYTES, OptionalLong.empty());
    }

    @Override
    public void write64(int offset, long value) {
      access(offset, Long.BYTES, OptionalLong.of(value));
    }

    private long access(int offset, int bytes, OptionalLong value) {
      Word at = new Word(VirtualUnitSettings.USUAL_BASE.value() + offset);
      Operation operation = value.isPresent() ? Operation.WRITE : Operation.READ;
      GuestRequest request = new GuestRequest(0, at, bytes, operation, new Word(value.orElse(0)));
      return machine
          .execute(new AccessGuest(guest.id(), request))
          .data()
          .map(Word::value)
          .orElse(0L);
    }
  }

  @Override
  public boolean isRam(long address, long bytes) {
    return place(address).isPresent() && place(address + bytes - 1).isPresent();
  }

  @Override
  public OptionalLong place(long address) {
    P2mLookup found = guest.p2m().lookup(new Gfn(address >>> PageSize.SHIFT_4K));
    return found.mfn().isValid()
        ? OptionalLong.of(found.mfn().maddr() | (address & (PageSize.BYTES_4K - 1)))
        : OptionalLong.empty();
  }

  @Override
  public byte[] bytes(long address, int length) {
    return isRam(address, length)
        ? machine.hypervisor().guestMemory().read(guest, address, length)
        : new byte[length];
  }

  @Override
  public long word(long address) {
    return Bytes.word(bytes(address, Long.BYTES));
  }

  @Override
  public void store(CorpusCase.Word word) {
    if (isRam(word.address(), Long.BYTES)) {
      HexBytes bytes = new HexBytes(Bytes.of(word.value()));
      machine.execute(new WriteGuestMemory(guest.id(), new Word(word.address()), bytes));
    }
  }

  /** Reads, or writes what is there already: a table of the guest's may be mapped, too. */
  @Override
  public Passage request(Request request, long meant) {
    requests++;
    unbacked += place(meant).isPresent() ? 0 : 1;
    Passage passage = attempt(request, meant);
    if (passage.maddr().isEmpty() && followed()) {
      lost++;
      return attempt(request, meant);
    }
    return passage;
  }

  /** Whether a fault has had the shadow follow, as without caching mode the first one does. */
  private boolean followed() {
    long now = syncs(SyncTrigger.FAULT);
    boolean followed = now > followedUp;
    followedUp = now;
    return followed;
  }

  private long syncs(SyncTrigger trigger) {
    return iommu.report().orElseThrow().counters().syncs().getOrDefault(trigger, 0L);
  }

  private Passage attempt(Request request, long meant) {
    Optional<HexBytes> data =
        request.access() == DmaAccess.WRITE
            ? Optional.of(new HexBytes(bytes(meant, Long.BYTES)))
            : Optional.empty();
    Sbdf device = Objects.requireNonNull(devices.get(request.sourceId()));
    DeviceDma.Result result =
        machine.execute(new DeviceDma(device, new Word(request.iova()), Long.BYTES, data));
    DmaSegment.End end = result.outcome().segments().getFirst().end();
    OptionalLong maddr =
        end instanceof DmaSegment.Moved moved && result.oracle().isEmpty()
            ? OptionalLong.of(moved.maddr())
            : OptionalLong.empty();
    return new Passage(maddr, end + result.oracle().map(wrong -> ", " + wrong).orElse(""));
  }

  @Override
  public InterruptOutcome interrupt(int sourceId, long address, int data) {
    return iommu
        .interrupts()
        .send(new SourceId(sourceId), new RemappableMessage(address, data))
        .outcome();
  }

  @Override
  public List<InterruptMessage> takeMessages() {
    return List.of();
  }

  @Override
  public String remarks() {
    Map<SyncTrigger, Long> syncs = iommu.report().orElseThrow().counters().syncs();
    return "; by shadows: %d requests, %d to no memory of the guest's, %d lost before they followed, synced %s"
        .formatted(requests, unbacked, lost, syncs);
  }

  @Override
  public void close() {
    machine.close();
  }
}
