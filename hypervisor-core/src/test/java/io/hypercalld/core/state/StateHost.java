package io.hypercalld.core.state;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.domain.VmEvents;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.AccessOp;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.BatchErrors;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.Exchanged;
import io.hypercalld.core.hypercall.ExtentList;
import io.hypercalld.core.hypercall.GrantResult;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.IomemPermission;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.MemoryMapping;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PageAccess;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.PinTable;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.core.hypercall.ShadowReport;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.hypercall.UnpinTable;
import io.hypercalld.core.hypercall.VmEventOp;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The hypercalls of a state test, in words of its own; dom0 makes all that no guest has to. */
final class StateHost {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final long RING = 0x701;
  private static final long GRANTS = 0x700;
  private static final int GRANTEE_SHIFT = 16;

  private final Hypervisor hypervisor;
  private final SimulatedHost host;
  private final RefusedCalls calls;

  /** Its {@code sharing_op}s. */
  final SharingHost sharing;

  StateHost(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    this.host = new SimulatedHost(hypervisor);
    this.calls = new RefusedCalls(hypervisor);
    this.sharing = new SharingHost(hypervisor, calls);
  }

  /** Refusals that were seen to change nothing. */
  int refusalsWatched() {
    return calls.watched();
  }

  long freeFrames() {
    return hypervisor.allocator().freeFrames();
  }

  List<String> violations() {
    return new CoreInvariants(hypervisor).violations();
  }

  Domain domain(DomainId id) {
    return host.domain(id);
  }

  boolean exists(DomainId id) {
    return hypervisor.domains().find(id).isPresent();
  }

  P2mLookup lookup(DomainId id, long gfn) {
    return host.lookup(id, gfn);
  }

  /** A translated domain with vCPUs and room for its tables. */
  DomainId createGuest(long limit) {
    return create(SimulatedHost.HVM_HAP, 0, limit);
  }

  /** As {@link #createGuest}, one that may have a device. */
  DomainId createBackend(long limit, long iommuOptions) {
    return create(SimulatedHost.HVM_HAP | SimulatedHost.IOMMU, iommuOptions, limit);
  }

  private DomainId create(long flags, long iommuOptions, long limit) {
    DomainId id = host.create(DomainId.ANY, flags, iommuOptions);
    hypervisor.domainCalls().maxVcpus(DOM0, new MaxVcpus(id, 2));
    host.limit(id, limit);
    hypervisor
        .domainCalls()
        .setPagingMempoolSize(DOM0, new SetPagingMempoolSize(id, new Word(300L << 12)));
    return id;
  }

  /** A domain without P2M that may have a device. */
  DomainId createParavirtual(long limit) {
    DomainId id = host.create(DomainId.ANY, SimulatedHost.IOMMU, 0);
    host.limit(id, limit);
    return id;
  }

  /** Maps the page of the guest's grants, where others do not look. */
  void mapGrants(DomainId id) {
    hypervisor
        .memoryCalls()
        .addToPhysmap(DOM0, new AddToPhysmap(id, 0, 1, new Word(0), new Gfn(GRANTS)));
  }

  /** Has somebody listen to the guest, in a page where others do not look. */
  void listen(DomainId id, VmEventRing.Kind kind) {
    boolean pager = kind == VmEventRing.Kind.PAGING;
    populate(id, 0, SimulatedHost.frames(RING));
    var events = hypervisor.featureCalls().events();
    int param = pager ? HvmParams.PAGING_RING_PFN : HvmParams.MONITOR_RING_PFN;
    events.setParam(DOM0, new SetHvmParam(id, param, new Word(RING)));
    events.control(DOM0, new VmEventOp(id, 0, pager ? 1 : 2));
  }

  /** Answers everything that listeners were told. */
  void answer(DomainId id) {
    VmEvents events = domain(id).features().events();
    events.waiting().forEach(event -> events.answer(event.id(), false));
  }

  long populate(DomainId id, int order, GuestFrames frames) {
    return host.populate(id, order, frames);
  }

  long decrease(DomainId id, long gfn) {
    return host.decrease(id, 0, gfn);
  }

  /** Populates on demand. */
  void promise(DomainId id, long gfn, int order) {
    hypervisor
        .memoryCalls()
        .populatePhysmap(
            DOM0,
            new PopulatePhysmap(
                id, SimulatedHost.frames(gfn), Optional.empty(), order, new Word(1 << 16)));
  }

  void fund(DomainId id, long pages) {
    hypervisor.featureCalls().pod().setTarget(DOM0, new SetPodTarget(id, pages, 0));
  }

  long move(DomainId id, long from, long to) {
    return calls.ret(
        () ->
            hypervisor
                .memoryCalls()
                .addToPhysmap(DOM0, new AddToPhysmap(id, 0, 2, new Word(from), new Gfn(to))));
  }

  long remove(DomainId id, long gfn) {
    return calls.ret(
        () ->
            hypervisor
                .memoryCalls()
                .removeFromPhysmap(DOM0, new RemoveFromPhysmap(id, new Gfn(gfn))));
  }

  AccessOutcome access(DomainId id, GuestRequest.Operation op, long gfn, long data) {
    return hypervisor
        .guestAccess()
        .perform(domain(id), new GuestRequest(0, new Word(gfn << 12), 8, op, new Word(data)));
  }

  long setMemType(DomainId id, long first, long nr, long type) {
    return SimulatedHost.ret(
        () ->
            hypervisor
                .controlCalls()
                .deviceModel()
                .setMemType(DOM0, new SetMemType(id, nr, type, 0, new Gfn(first))));
  }

  long logDirty(DomainId id, boolean on) {
    return calls.ret(() -> shadow(id, on ? 32 : 0, on ? 4 : 0));
  }

  private Outcome shadow(DomainId id, long op, long mode) {
    return hypervisor
        .controlCalls()
        .logDirty()
        .shadowOp(DOM0, new ShadowOp(id, op, mode, 0, Optional.empty()));
  }

  /** Guest frames written since the last time that they were cleaned, as they are here or not. */
  List<Long> dirty(DomainId id, boolean clean) {
    List<Long> dirty = new ArrayList<>();
    if (shadow(id, clean ? 11 : 12, 0) instanceof Outcome.Success(long _, ShadowReport report)) {
      for (int i = 0; i < report.dirtyBitmap().size(); i++) {
        for (int bit = 0; bit < 8; bit++) {
          if ((report.dirtyBitmap().get(i) >>> bit & 1) != 0) {
            dirty.add(i * 8L + bit);
          }
        }
      }
    }
    return dirty;
  }

  /** Dom0 maps a page of a guest's. */
  int mapForeign(DomainId id, long gfn, Slot slot) {
    Outcome outcome =
        hypervisor
            .memoryCalls()
            .addToPhysmapBatch(
                DOM0,
                new AddToPhysmapBatch(
                    slot.mapper(),
                    4,
                    id.value(),
                    SimulatedHost.frames(gfn),
                    SimulatedHost.frames(slot.gfn()),
                    Optional.empty()));
    return outcome instanceof Outcome.Success(long _, BatchErrors(List<Integer> errs))
        ? errs.getFirst()
        : 1;
  }

  /** A guest's grant of a page. */
  record Grant(DomainId granter, long gfn, long ref, boolean readonly) {}

  /** What mapping one came to. */
  record Granted(int status, long handle) {}

  /** The guest grants a page and the other domain maps it. */
  Granted mapGrant(Grant grant, Slot slot) {
    long entry =
        1 | (grant.readonly ? 4 : 0) | slot.mapper().value() << GRANTEE_SHIFT | grant.gfn << 32;
    hypervisor
        .guestMemory()
        .write(domain(grant.granter), (GRANTS << 12) + grant.ref * Long.BYTES, bytes(entry));
    Outcome outcome =
        hypervisor
            .grantCalls()
            .mapGrantRef(
                slot.mapper(),
                new MapGrantRef(
                    new Word(slot.gfn() << 12), grant.readonly ? 6 : 2, grant.ref, grant.granter));
    return outcome instanceof Outcome.Success(long _, MapGrantRef.Mapped mapped)
        ? new Granted(mapped.status(), mapped.handle().orElse(-1L))
        : new Granted(1, -1);
  }

  int unmapGrant(Slot slot, long handle) {
    Outcome outcome =
        hypervisor
            .grantCalls()
            .unmapGrantRef(
                slot.mapper(), new UnmapGrantRef(new Word(slot.gfn() << 12), new Word(0), handle));
    return outcome instanceof Outcome.Success(long _, GrantResult(int status)) ? status : 1;
  }

  long paging(DomainId id, long op, long gfn) {
    return paging(new PagingOp(op, id, new Gfn(gfn), Optional.empty(), 0));
  }

  private long paging(PagingOp op) {
    return calls.ret(() -> hypervisor.featureCalls().paging().paging(DOM0, op));
  }

  /** Brings a page back that holds a word and else zeros. */
  long pageIn(DomainId id, long gfn, long contents) {
    byte[] page = Arrays.copyOf(bytes(contents), 4096);
    return paging(
        new PagingOp(2, id, new Gfn(gfn), HexBytes.parse(HexFormat.of().formatHex(page)), 0));
  }

  /** The first word of a page. */
  long read(DomainId id, long gfn) {
    byte[] bytes = hypervisor.guestMemory().read(domain(id), gfn << 12, Long.BYTES);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** Whether a word could be written. */
  boolean write(DomainId id, long gfn, long contents) {
    try {
      hypervisor.guestMemory().write(domain(id), gfn << 12, bytes(contents));
      return true;
    } catch (Refusal refusal) {
      return false;
    }
  }

  /** References on the frame behind a guest frame. */
  long references(DomainId id, long gfn) {
    return hypervisor.frames().references(lookup(id, gfn).mfn().value());
  }

  private static byte[] bytes(long word) {
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(word);
    return bytes;
  }

  /** Has the guest see a page of a device, or not any more. */
  long mapDevice(DomainId id, long gfn, long mfn, boolean on) {
    return calls.ret(
        () ->
            hypervisor
                .controlCalls()
                .ioCapabilities()
                .memoryMapping(
                    DOM0,
                    new MemoryMapping(id, new Gfn(gfn), new Mfn(mfn), new Word(1), on ? 1 : 0, 0)));
  }

  /** Lets the guest have some of the machine's device memory. */
  long permitDevice(DomainId id, long mfn, long count) {
    return calls.ret(
        () ->
            hypervisor
                .controlCalls()
                .ioCapabilities()
                .iomemPermission(DOM0, new IomemPermission(id, new Mfn(mfn), new Word(count), 1)));
  }

  /** Has a frame of a guest without P2M be a page table, or not any more. */
  long pin(DomainId id, long mfn, boolean on) {
    return calls.ret(
        () ->
            on
                ? hypervisor.pinCalls().pin(DOM0, new PinTable(id, new Mfn(mfn)))
                : hypervisor.pinCalls().unpin(DOM0, new UnpinTable(id, new Mfn(mfn))));
  }

  long restrict(DomainId id, long gfn, long access) {
    return calls.ret(() -> access(id, 0, gfn, access));
  }

  /** The access of a page, or the negative errno. */
  long accessOf(DomainId id, long gfn) {
    try {
      return access(id, 1, gfn, 0) instanceof Outcome.Success(long _, PageAccess(long access))
          ? access
          : 0;
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  private Outcome access(DomainId id, long op, long gfn, long access) {
    return hypervisor
        .featureCalls()
        .access()
        .access(
            DOM0,
            new AccessOp(op, access, id, 1, new Gfn(gfn), SimulatedHost.frames(), List.of(), 0));
  }

  /** Has a guest without P2M populate so many frames; answers those it got. */
  List<Long> populateParavirtual(DomainId id, int count) {
    Outcome outcome =
        hypervisor
            .memoryCalls()
            .populatePhysmap(
                DOM0,
                new PopulatePhysmap(
                    id,
                    GuestFrames.consecutive(new Gfn(0), count),
                    Optional.empty(),
                    0,
                    new Word(0)));
    return outcome instanceof Outcome.Success(long _, ExtentList(List<Mfn> frames))
        ? frames.stream().map(Mfn::value).toList()
        : List.of();
  }

  /** Gives single frames for one extent of that order; answers its first frame. */
  OptionalLong exchange(DomainId id, long[] given, int order) {
    var in = reservation(id, SimulatedHost.frames(given), 0);
    var out = reservation(id, SimulatedHost.frames(0), order);
    try {
      return hypervisor.memoryCalls().exchange(DOM0, new Exchange(in, out, 0, 0))
              instanceof Outcome.Success(long _, Exchanged(long _, ExtentList(List<Mfn> frames)))
          ? OptionalLong.of(frames.getFirst().value())
          : OptionalLong.empty();
    } catch (Refusal refusal) {
      return OptionalLong.empty();
    }
  }

  private static Exchange.Reservation reservation(DomainId id, GuestFrames frames, int order) {
    return new Exchange.Reservation(id, frames, Optional.empty(), order, new Word(0));
  }

  long readFrame(long mfn) {
    return hypervisor.memory().readWord(new Mfn(mfn).maddr());
  }

  void writeFrame(long mfn, long word) {
    hypervisor.memory().writeWord(new Mfn(mfn).maddr(), word);
  }

  long frameReferences(long mfn) {
    return hypervisor.frames().references(mfn);
  }

  long destroy(DomainId id) {
    return host.destroy(id);
  }
}
