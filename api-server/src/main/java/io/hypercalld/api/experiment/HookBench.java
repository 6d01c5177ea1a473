package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.SyncHookAnswer.Change;
import io.hypercalld.api.experiment.SyncHookAnswer.Effect;
import io.hypercalld.api.machine.ChooseDomainPolicies;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.WriteGuestMemory;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetTarget;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.hypercall.VmEventOp;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.TableFrameSize;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;

/**
 * A guest with a device behind a table of its own that may miss a kind of change, and another guest
 * whose pages it can map. Confined to the thread that runs the experiment.
 */
final class HookBench implements AutoCloseable {
  private static final long PAGES = 32;
  private static final long GRANT_TABLE = 0x100;
  private static final int REF = 9;
  private static final int GRANTED_PAGE = 7;
  private static final int MAP_FOREIGN_SPACE = 4;
  private static final int GRANT_SPACE = 1;
  private static final int MOVE_SPACE = 2;
  private static final int HOST_MAP = 2;
  private static final int PAGED_PAGE = 3;
  private static final int PAGING = 1;
  private static final int ENABLE = 0;
  private static final int NOMINATE = 0;
  private static final int EVICT = 1;
  private static final int PREPARE = 2;

  /** From pages to KiB. */
  private static final int KIB_SHIFT = 2;

  private final Set<Long> watched = new TreeSet<>();
  private final Bench bench = new Bench("two-socket", DriverPolicies.usual());
  private final Machine machine = bench.machine();
  private final Sbdf device = bench.virtualFunctions(0).getFirst();
  private final Domain guest;
  private final Domain other;
  private long handle;

  /** With a guest of the type, whose device misses nothing yet. */
  HookBench(DomainType type) {
    this.guest = compose(type);
    this.other = compose(DomainType.PVH);
    bench.give(guest, device);
    if (type.isTranslated()) {
      LongStream.range(0, 2 * PAGES).forEach(watched::add);
    } else {
      watchOwned();
    }
  }

  /** From now on the guest's device misses a kind of change. */
  void lose(SyncHook hook) {
    machine.execute(ChooseDomainPolicies.of(guest.id(), EnumSet.complementOf(EnumSet.of(hook))));
  }

  private Domain compose(DomainType type) {
    MemoryPolicies policies =
        new MemoryPolicies(
                P2mGeometry.GRANULE_4K,
                Optional.of(EnumSet.allOf(SyncHook.class)),
                new DmaPolicy(
                    DmaPolicy.Tables.SEPARATE,
                    EnumSet.of(PageSize.SIZE_4K),
                    TableFrameSize.FRAME_4K))
            .with(DevicePaging.ALLOW);
    return machine.execute(
        new ComposeDomain(
            Optional.empty(), Optional.empty(), type, PAGES << PageSize.SHIFT_4K, 1, policies));
  }

  private void watchOwned() {
    FrameTable frames = machine.hypervisor().frames();
    int owner = guest.id().value();
    for (long mfn = frames.nextOwned(0, Long.MAX_VALUE, owner);
        mfn >= 0;
        mfn = frames.nextOwned(mfn + 1, Long.MAX_VALUE, owner)) {
      if (guest.reservation().owns(mfn)) {
        watched.add(mfn);
      }
    }
  }

  /** Makes a change of one page of the guest's. */
  void make(Change change) {
    DomainId id = guest.id();
    switch (change) {
      case REMOVE -> call(new RemoveFromPhysmap(id, new Gfn(1)));
      case BALLOON -> call(new DecreaseReservation(id, at(2), Optional.empty(), 0, new Word(0)));
      case POPULATE -> {
        call(new MaxMem(id, new Word((PAGES + 1) << KIB_SHIFT)));
        call(new PopulatePhysmap(id, at(PAGES), Optional.empty(), 0, new Word(0)));
      }
      case SWAP -> call(new AddToPhysmap(id, 0, MOVE_SPACE, new Word(4), new Gfn(5)));
      case FOREIGN_MAP -> mapForeign();
      case FOREIGN_UNMAP -> call(new RemoveFromPhysmap(id, new Gfn(PAGES + 1)));
      case GRANT_MAP -> mapGrant();
      case GRANT_UNMAP -> callAs(id, new UnmapGrantRef(grantAddress(), new Word(0), handle));
      case EXCHANGE -> exchange();
      case PAGE_OUT -> pageOut();
      case PAGE_IN -> page(PREPARE, Optional.of(new HexBytes(new byte[PageSize.BYTES_4K])));
    }
  }

  private void mapForeign() {
    call(new SetTarget(guest.id(), other.id()));
    call(
        new AddToPhysmapBatch(
            guest.id(),
            MAP_FOREIGN_SPACE,
            other.id().value(),
            at(GRANTED_PAGE - 1),
            at(PAGES + 1),
            Optional.empty()));
  }

  private void mapGrant() {
    call(new AddToPhysmap(other.id(), 0, GRANT_SPACE, new Word(0), new Gfn(GRANT_TABLE)));
    byte[] entry = {1, 0, (byte) guest.id().value(), 0, GRANTED_PAGE, 0, 0, 0};
    long address = (GRANT_TABLE << PageSize.SHIFT_4K) + (long) REF * entry.length;
    machine.execute(new WriteGuestMemory(other.id(), new Word(address), new HexBytes(entry)));
    Outcome.Success mapped =
        callAs(guest.id(), new MapGrantRef(grantAddress(), HOST_MAP, REF, other.id()));
    handle = ((MapGrantRef.Mapped) mapped.out()).handle().orElseThrow();
  }

  private static Word grantAddress() {
    return new Word((PAGES + 2) << PageSize.SHIFT_4K);
  }

  private void exchange() {
    long mfn = watched.iterator().next();
    var given = new Exchange.Reservation(guest.id(), at(mfn), Optional.empty(), 0, new Word(0));
    var wanted = new Exchange.Reservation(guest.id(), at(0), Optional.empty(), 0, new Word(0));
    call(new Exchange(given, wanted, 0, 0));
    watchOwned();
  }

  private static GuestFrames at(long frame) {
    return GuestFrames.of(new Gfn(frame));
  }

  private void pageOut() {
    call(new SetHvmParam(guest.id(), HvmParams.PAGING_RING_PFN, new Word(PAGES - 1)));
    call(new VmEventOp(guest.id(), ENABLE, PAGING));
    page(NOMINATE, Optional.empty());
    page(EVICT, Optional.empty());
  }

  private void page(int op, Optional<HexBytes> contents) {
    call(new PagingOp(op, guest.id(), new Gfn(PAGED_PAGE), contents, 0));
  }

  private void call(Hypercall arguments) {
    callAs(DomainId.DOM0, arguments);
  }

  private Outcome.Success callAs(DomainId caller, Hypercall arguments) {
    return switch (machine.call(caller, arguments)) {
      case Outcome.Success success -> success;
      case Outcome.Refused refused ->
          throw Refusal.of(refused.errno(), "the bench is refused: %s", refused.detail());
      case Outcome.Preempted _ -> throw new IllegalStateException(arguments + " was preempted");
    };
  }

  /** Has the device read each page, and compares what it reaches with what the guest has. */
  Effect look(Change change) {
    long stale = 0;
    long faulting = 0;
    for (long frame : watched) {
      Optional<Word> reached = bench.arrives(device, frame << PageSize.SHIFT_4K);
      Optional<Word> due = due(frame);
      stale += reached.isPresent() && !reached.equals(due) ? 1 : 0;
      faulting += reached.isEmpty() && due.isPresent() ? 1 : 0;
    }
    return new Effect(
        change,
        stale,
        faulting,
        machine.violations().stream().map(Violation::invariant).distinct().sorted().toList());
  }

  /** Where the guest's frame is, if a device may read it. */
  private Optional<Word> due(long frame) {
    if (guest.findP2m().isEmpty()) {
      return guest.reservation().owns(frame)
          ? Optional.of(new Word(frame << PageSize.SHIFT_4K))
          : Optional.empty();
    }
    P2mLookup found = guest.p2m().lookup(new Gfn(frame));
    return found.type().dma().reads()
        ? Optional.of(new Word(found.mfn().maddr()))
        : Optional.empty();
  }

  @Override
  public void close() {
    bench.close();
  }
}
