package io.hypercalld.core;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.BatchErrors;
import io.hypercalld.core.hypercall.GrantResult;
import io.hypercalld.core.hypercall.GuestBuffer;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.MapGrantRef;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.core.hypercall.ShadowReport;
import io.hypercalld.core.hypercall.UnmapGrantRef;
import io.hypercalld.core.hypercall.VmEventOp;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A machine whose domains a state test drives, in words of its own. Confined to the test's thread.
 */
final class StateHost implements AutoCloseable {
  /** Guest frames that are used at random. */
  static final int GFNS = 0x800;

  /** Dom0's guest frames from here on are for what it maps of others. */
  static final long DOM0_SLOTS = 0x10_0000;

  private static final long RING = 0x3000;
  private static final long GRANTS = 0x3001;
  private static final DomainId DOM0 = DomainId.DOM0;

  private final SimulatedHost host = new SimulatedHost(3L << 30);

  StateHost() {
    host.hypervisor().bootDom0();
  }

  long freeFrames() {
    return host.hypervisor().allocator().freeFrames();
  }

  List<String> violations() {
    return new CoreInvariants(host.hypervisor()).violations();
  }

  Domain domain(DomainId id) {
    return host.domain(id);
  }

  boolean exists(DomainId id) {
    return host.hypervisor().domains().find(id).isPresent();
  }

  P2mLookup lookup(DomainId id, long gfn) {
    return host.lookup(id, gfn);
  }

  /** A domain with vCPUs, room for its tables and a page of grants. */
  DomainId createGuest(long limit, boolean iommu) {
    DomainId id = host.create(SimulatedHost.HVM_HAP | (iommu ? SimulatedHost.IOMMU : 0));
    host.hypervisor().domainCalls().maxVcpus(DOM0, new MaxVcpus(id, 2));
    host.limit(id, limit);
    host.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(DOM0, new SetPagingMempoolSize(id, new Word(512L << 12)));
    host.hypervisor()
        .memoryCalls()
        .addToPhysmap(DOM0, new AddToPhysmap(id, 0, 1, new Word(0), new Gfn(GRANTS)));
    return id;
  }

  void enablePager(DomainId id) {
    populate(id, 0, SimulatedHost.frames(RING));
    var events = host.hypervisor().featureCalls().events();
    events.setParam(DOM0, new SetHvmParam(id, HvmParams.PAGING_RING_PFN, new Word(RING)));
    events.control(DOM0, new VmEventOp(id, 0, 1));
  }

  /** What devices would reach, kept by what they are told: frame by guest frame. */
  void mirror(DomainId id, Map<Long, Long> reached) {
    domain(id)
        .p2m()
        .observe(
            change -> {
              for (long i = 0; i < change.frames(); i++) {
                if (change.permission() == DmaPermission.NONE) {
                  reached.remove(change.gfn().value() + i);
                } else {
                  reached.put(change.gfn().value() + i, change.mfn().value() + i);
                }
              }
            });
  }

  long populate(DomainId id, int order, GuestFrames frames) {
    return host.populate(id, order, frames);
  }

  long populateNot(DomainId id, long gfn) {
    return host.decrease(id, 0, gfn);
  }

  /** Populates on demand. */
  void promise(DomainId id, long gfn, int order) {
    host.hypervisor()
        .memoryCalls()
        .populatePhysmap(
            DOM0,
            new PopulatePhysmap(
                id, SimulatedHost.frames(gfn), Optional.empty(), order, new Word(1 << 16)));
  }

  void fund(DomainId id, long pages) {
    host.hypervisor().featureCalls().pod().setTarget(DOM0, new SetPodTarget(id, pages, 0));
  }

  long move(DomainId id, long from, long to) {
    return host.move(id, from, to);
  }

  long remove(DomainId id, long gfn) {
    return SimulatedHost.ret(
        () ->
            host.hypervisor()
                .memoryCalls()
                .removeFromPhysmap(DOM0, new RemoveFromPhysmap(id, new Gfn(gfn))));
  }

  AccessOutcome access(DomainId id, GuestRequest.Operation op, long gfn, long data) {
    return host.hypervisor()
        .guestAccess()
        .perform(domain(id), new GuestRequest(0, new Word(gfn << 12), 8, op, new Word(data)));
  }

  long setMemType(DomainId id, long first, long nr, long type) {
    return SimulatedHost.ret(
        () ->
            host.hypervisor()
                .controlCalls()
                .deviceModel()
                .setMemType(DOM0, new SetMemType(id, nr, type, 0, new Gfn(first))));
  }

  long logDirty(DomainId id, boolean on) {
    return SimulatedHost.ret(() -> shadow(id, on ? 32 : 0, on ? 4 : 0));
  }

  private Outcome shadow(DomainId id, long op, long mode) {
    return host.hypervisor()
        .controlCalls()
        .logDirty()
        .shadowOp(DOM0, new ShadowOp(id, op, mode, 0, Optional.empty()));
  }

  /** Guest frames written since the last time; none counts as written from here on. */
  List<Long> cleaned(DomainId id) {
    List<Long> dirty = new ArrayList<>();
    if (shadow(id, 11, 0) instanceof Outcome.Success(long _, ShadowReport report)) {
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

  int mapForeign(DomainId id, long gfn, long slot) {
    Outcome outcome =
        host.hypervisor()
            .memoryCalls()
            .addToPhysmapBatch(
                DOM0,
                new AddToPhysmapBatch(
                    DOM0,
                    4,
                    id.value(),
                    SimulatedHost.frames(gfn),
                    SimulatedHost.frames(slot),
                    Optional.empty()));
    return outcome instanceof Outcome.Success(long _, BatchErrors(List<Integer> errs))
        ? errs.getFirst()
        : 1;
  }

  /** A grant of a page to dom0. */
  record Grant(long gfn, long ref, boolean readonly) {}

  /** What mapping one came to. */
  record Granted(int status, long handle) {}

  /** The guest grants a page and dom0 maps it. */
  Granted mapGrant(DomainId id, Grant grant, long slot) {
    long entry = 1 | (grant.readonly ? 4 : 0) | grant.gfn << 32;
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(entry);
    host.hypervisor().guestMemory().write(domain(id), (GRANTS << 12) + grant.ref * 8, bytes);
    Outcome outcome =
        host.hypervisor()
            .grantCalls()
            .mapGrantRef(
                DOM0, new MapGrantRef(new Word(slot << 12), grant.readonly ? 6 : 2, grant.ref, id));
    return outcome instanceof Outcome.Success(long _, MapGrantRef.Mapped mapped)
        ? new Granted(mapped.status(), mapped.handle().orElse(-1L))
        : new Granted(1, -1);
  }

  int unmapGrant(long slot, long handle) {
    Outcome outcome =
        host.hypervisor()
            .grantCalls()
            .unmapGrantRef(DOM0, new UnmapGrantRef(new Word(slot << 12), new Word(0), handle));
    return outcome instanceof Outcome.Success(long _, GrantResult(int status)) ? status : 1;
  }

  long paging(DomainId id, long op, long gfn) {
    return paging(new PagingOp(op, id, new Gfn(gfn), Optional.empty(), 0));
  }

  private long paging(PagingOp op) {
    return SimulatedHost.ret(() -> host.hypervisor().featureCalls().paging().paging(DOM0, op));
  }

  /** Brings a page back that holds a word and else zeros. */
  long pageIn(DomainId id, long gfn, long contents) {
    byte[] page = new byte[4096];
    ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).putLong(contents);
    return paging(
        new PagingOp(2, id, new Gfn(gfn), GuestBuffer.parse(HexFormat.of().formatHex(page)), 0));
  }

  /** The first word of a page. */
  long read(DomainId id, long gfn) {
    byte[] bytes = host.hypervisor().guestMemory().read(domain(id), gfn << 12, Long.BYTES);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /** Whether a word could be written. */
  boolean write(DomainId id, long gfn, long contents) {
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(contents);
    try {
      host.hypervisor().guestMemory().write(domain(id), gfn << 12, bytes);
      return true;
    } catch (Refusal refusal) {
      return false;
    }
  }

  /** References on the frame behind a guest frame. */
  long references(DomainId id, long gfn) {
    return host.hypervisor().frames().references(lookup(id, gfn).mfn().value());
  }

  long destroy(DomainId id) {
    return host.destroy(id);
  }

  @Override
  public void close() {
    host.close();
  }
}
