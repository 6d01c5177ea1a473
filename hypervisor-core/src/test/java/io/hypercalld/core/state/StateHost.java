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
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.IomemPermission;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.MemoryMapping;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.hypercall.VmEventOp;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The hypercalls of a state test, in words of its own; dom0 makes all that no guest has to. */
final class StateHost {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final long RING = 0x701;
  static final long GRANTS = 0x700;

  private final Hypervisor hypervisor;
  private final SimulatedHost host;
  private final Servers servers;
  private final RefusedCalls calls;

  /** Its {@code sharing_op}s. */
  final SharingHost sharing;

  final LendingHost lending;
  final TypeHost types;
  final FrameHost frames;

  StateHost(Surroundings around) {
    this.servers = around.servers();
    this.hypervisor = around.hypervisor();
    this.host = new SimulatedHost(hypervisor);
    this.calls = new RefusedCalls(around);
    this.sharing = new SharingHost(hypervisor, calls);
    this.lending = new LendingHost(hypervisor, calls);
    this.types = new TypeHost(hypervisor, calls);
    this.frames = new FrameHost(hypervisor, calls);
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

  /** Has a pager listen to a guest for which there is none. */
  long refusePager(DomainId id) {
    return calls.ret(
        () -> hypervisor.featureCalls().events().control(DOM0, new VmEventOp(id, 0, 1)));
  }

  /** Answers everything that listeners were told. */
  void answer(DomainId id) {
    VmEvents events = domain(id).features().events();
    events.waiting().forEach(event -> events.answer(event.id(), false));
  }

  long populate(DomainId id, int order, GuestFrames frames) {
    return calls.count(() -> host.populate(id, order, frames));
  }

  long decrease(DomainId id, long gfn) {
    return calls.count(() -> host.decrease(id, 0, gfn));
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

  /**
   * Moves a page.
   *
   * @param whole whether a refusal is to change nothing
   */
  long move(DomainId id, long from, long to, boolean whole) {
    return calls.watch(() -> host.move(id, from, to), ret -> whole && ret < 0);
  }

  long remove(DomainId id, long gfn) {
    return calls.ret(
        () ->
            hypervisor
                .memoryCalls()
                .removeFromPhysmap(DOM0, new RemoveFromPhysmap(id, new Gfn(gfn))));
  }

  AccessOutcome access(DomainId id, GuestRequest.Operation op, long gfn, long data) {
    return servers.access(id, request(op, gfn, data));
  }

  /** An access to the first word of a page. */
  static GuestRequest request(GuestRequest.Operation op, long gfn, long data) {
    return new GuestRequest(0, new Word(gfn << 12), Long.BYTES, op, new Word(data));
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

  /** Whose the frame behind a guest frame is. */
  int owner(DomainId id, long gfn) {
    return hypervisor.frames().owner(lookup(id, gfn).mfn().value());
  }

  /** References on the frame behind a guest frame. */
  long references(DomainId id, long gfn) {
    return hypervisor.frames().references(lookup(id, gfn).mfn().value());
  }

  static byte[] bytes(long word) {
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

  long destroy(DomainId id) {
    return host.destroy(id);
  }
}
