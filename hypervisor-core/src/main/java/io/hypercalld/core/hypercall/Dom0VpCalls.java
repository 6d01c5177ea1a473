package io.hypercalld.core.hypercall;

import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.DeviceMap;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.IoPermissions;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.core.ranges.NumberRange;

/**
 * Carries out {@code dom0vp_op}: what a kernel asks that is not told where its memory is, and
 * drives devices all the same. Confined to the machine thread.
 *
 * @see "xen/arch/ia64/xen/hypercall.c, do_dom0vp_op; spec/documents.md S3-D4"
 */
public final class Dom0VpCalls {
  private static final long READONLY = 1;
  private static final long ENTRIES = 512;

  private final DomainTable domains;
  private final FrameTable frames;

  public Dom0VpCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.frames = frames;
  }

  /** See {@link PhysToMach}. */
  public Outcome physToMach(DomainId callerId, PhysToMach args) {
    Domain caller = domains.caller(callerId);
    return Outcome.returning(new PhysToMach.Found(machineFrame(caller, args.gpfn())));
  }

  private Mfn machineFrame(Domain caller, Gfn gpfn) {
    if (caller.physicalMap().isPresent()) {
      return caller.physicalMap().get().obtain(gpfn).mfn();
    }
    boolean own =
        frames.contains(gpfn.value()) && frames.owner(gpfn.value()) == caller.id().value();
    return own ? new Mfn(gpfn.value()) : Mfn.INVALID;
  }

  /** See {@link MachToPhys}. */
  public Outcome machToPhys(DomainId callerId, MachToPhys args) {
    domains.caller(callerId);
    long mfn = args.mfn().value();
    long gpfn = frames.contains(mfn) ? frames.m2p(mfn) : FrameTable.INVALID_M2P;
    return Outcome.returning(new MachToPhys.Found(new Gfn(gpfn)));
  }

  /** See {@link IoRemap}. */
  public Outcome ioRemap(DomainId callerId, IoRemap args) {
    Domain caller = domains.caller(callerId);
    NumberRange range = registers(args);
    caller.ioPermissions().demand(IoPermissions.Kind.MEMORY, range);
    if (caller.type().isTranslated()) {
      map(caller, range);
    }
    return Outcome.returning(new IoRemap.Mapped(args.ioaddr()));
  }

  private NumberRange registers(IoRemap args) {
    long first = args.ioaddr().value();
    long last = first + Math.max(1, args.size().value()) - 1;
    if (first < 0 || last < first || last >>> domains.host().addressWidth() != 0) {
      throw Refusal.of(Errno.EINVAL, "%s bytes from %s on", args.size(), args.ioaddr());
    }
    long frame = first >>> PageSize.SHIFT_4K;
    return NumberRange.of(frame, (last >>> PageSize.SHIFT_4K) - frame + 1);
  }

  private void map(Domain caller, NumberRange range) {
    DeviceMap map = new DeviceMap(caller, frames);
    long count = range.last() - range.first() + 1;
    for (long done = 0; done < count; ) {
      long at = range.first() + done;
      done += map.map(new Gfn(at), new Mfn(at), count - done);
    }
  }

  /** See {@link ZapPhysmap}. */
  public Outcome zapPhysmap(DomainId callerId, ZapPhysmap args) {
    Domain caller = domains.caller(callerId);
    if (args.extentOrder() != 0) {
      throw Refusal.of(Errno.ENOSYS, "only single pages are unmapped");
    }
    caller.physicalMap().ifPresent(map -> zap(caller, map, args.gpfn()));
    return Outcome.done();
  }

  private void zap(Domain caller, PhysicalMap map, Gfn gpfn) {
    P2mLookup found = map.query(gpfn);
    switch (found.type()) {
      case MMIO_DM, INVALID -> {}
      case MAP_FOREIGN, RAM_SHARED -> map.remove(gpfn);
      case MMIO_DIRECT -> new DeviceMap(caller, frames).unmap(gpfn, found.mfn(), map.granule());
      case GRANT_MAP_RW, GRANT_MAP_RO ->
          throw Refusal.of(Errno.EINVAL, "guest frame %s is a grant", gpfn);
      default -> {
        if (!found.mfn().isValid()) {
          throw Refusal.of(Errno.EINVAL, "guest frame %s is %s", gpfn, found.type());
        }
        map.removeAndRelease(gpfn, SyncHook.ZAP);
      }
    }
  }

  /** See {@link AddPhysmap}. */
  public Outcome addPhysmap(DomainId callerId, AddPhysmap args) {
    Domain caller = domains.caller(callerId);
    if (!caller.isControlDomain()) {
      throw Refusal.of(Errno.EPERM, "%s is no control domain", caller.id());
    }
    if ((args.flags() & ~READONLY) != 0) {
      throw Refusal.of(Errno.EINVAL, "flags 0x%x are the hypervisor's own", args.flags());
    }
    Domain owner = domains.any(caller, args.domid());
    if (owner == caller) {
      throw Refusal.of(Errno.EINVAL, "%s has its own pages already", caller.id());
    }
    long mfn = args.mfn().value();
    if (!frames.contains(mfn) || !owner.reservation().owns(mfn)) {
      throw Refusal.of(Errno.EINVAL, "frame %s is not %s's", args.mfn(), owner.id());
    }
    PhysicalMap map = caller.physicalMap().orElseThrow();
    map.foreign().map(args.mfn(), args.gpfn());
    if (args.flags() == READONLY) {
      caller.p2m().during(SyncHook.FOREIGN_MAP, () -> restrict(caller, args.gpfn()));
    }
    return Outcome.done();
  }

  /** The leaf is a page of its own already, so that it cannot run out of memory. */
  private static void restrict(Domain caller, Gfn gpfn) {
    caller.p2m().changeAccess(gpfn, P2mAccess.R);
  }

  /** See {@link ExposeP2m}. */
  public Outcome exposeP2m(DomainId callerId, ExposeP2m args) {
    Domain caller = domains.caller(callerId);
    if (!caller.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s is PV and has no P2M", caller.id());
    }
    requireAligned(args);
    if (caller.settings().geometry() != P2mGeometry.GRANULE_4K) {
      throw Refusal.of(
          Errno.ENOSYS,
          "the P2M of %s has pages of 16 KiB, and its table would have entries of 4 KiB",
          caller.id());
    }
    if (args.granulePfn() != ENTRIES) {
      throw Refusal.of(Errno.ENOSYS, "a page of the table has %d entries", ENTRIES);
    }
    caller
        .facet(DomainDma.class)
        .expose(
            args.convStartGpfn(),
            args.exposeSize().value() >>> PageSize.SHIFT_4K,
            args.assignStartGpfn());
    return Outcome.done();
  }

  private static void requireAligned(ExposeP2m args) {
    long granule = args.granulePfn();
    long frames = args.exposeSize().value() >>> PageSize.SHIFT_4K;
    boolean whole =
        granule > 0
            && granule % ENTRIES == 0
            && frames > 0
            && frames << PageSize.SHIFT_4K == args.exposeSize().value()
            && frames % granule == 0
            && args.convStartGpfn().value() % granule == 0
            && args.assignStartGpfn().value() % granule == 0;
    if (!whole) {
      throw Refusal.of(
          Errno.EINVAL,
          "%s bytes from %s on, shown at %s, are not multiples of %d pages",
          args.exposeSize(),
          args.convStartGpfn(),
          args.assignStartGpfn(),
          granule);
    }
  }
}
