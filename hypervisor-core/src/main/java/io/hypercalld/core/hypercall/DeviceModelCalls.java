package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.CacheType;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;

/**
 * The dm_op and hvm_op hypercalls about memory types, and those that need no ioreq server. Confined
 * to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/arch/x86/hvm/dm.c; xen/arch/x86/hvm/hvm.c, hvmop_get_mem_type"
 */
public final class DeviceModelCalls {
  private static final int HVMMEM_RAM_RW = 0;
  private static final int HVMMEM_RAM_RO = 1;
  private static final int HVMMEM_MMIO_DM = 2;
  private static final int REASON_MASK = 0xff;

  /** Pages retyped before others may run. */
  private static final int RETYPED_AT_ONCE = 256;

  private static final long DELETE_MEM_CACHEATTR = 0xffff_ffffL;

  private final DomainTable domains;
  private final Targets targets;
  private final Continuations continuations;

  public DeviceModelCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.continuations = continuations;
  }

  public Outcome nrVcpus(DomainId caller, NrVcpus args) {
    Domain domain = targets.modelled(domains.caller(caller), args.domid());
    return Outcome.returning(new VcpuCount(domain.settings().maxVcpus()));
  }

  public Outcome remoteShutdown(DomainId caller, RemoteShutdown args) {
    targets
        .modelled(domains.caller(caller), args.domid())
        .run()
        .shutDown((int) args.reason().value() & REASON_MASK);
    return Outcome.done();
  }

  public Outcome getMemType(DomainId caller, GetMemType args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, args.domid());
    Privilege.TARGET.demand(by, domain);
    P2mTable p2m =
        domain.findP2m().orElseThrow(() -> Refusal.of(Errno.EINVAL, "%s is PV", domain.id()));
    return Outcome.returning(new MemType(number(p2m.lookup(args.pfn()).type())));
  }

  private static int number(P2mType type) {
    if (P2mType.MMIO.contains(type)) {
      return HVMMEM_MMIO_DM;
    }
    if (P2mType.IOREQ.contains(type)) {
      return ClaimableType.number(type);
    }
    // Pages whose writes are logged are among these: the guest's device model sees them so.
    if (P2mType.READONLY.contains(type)) {
      return HVMMEM_RAM_RO;
    }
    boolean writable =
        P2mType.RAM.contains(type) || P2mType.POD.contains(type) || type == P2mType.GRANT_MAP_RW;
    return writable ? HVMMEM_RAM_RW : HVMMEM_MMIO_DM;
  }

  public Outcome setMemType(DomainId caller, SetMemType args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.modelled(by, args.domid());
    if (args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "pad is %d", args.pad());
    }
    requireFrames(domain, args.firstPfn(), args.nr());
    P2mType wanted = type(domain, args.memType());
    if (P2mType.IOREQ.contains(wanted)) {
      requireServer(domain, wanted);
    }
    Steps steps = continuations.begin(by);
    long granule = domain.p2m().geometry().granuleFrames();
    long changed = 0;
    for (long done = 0; done < args.nr(); ) {
      Gfn gfn = args.firstPfn().plus(done);
      change(domain, gfn, wanted);
      // A page of the P2M's is changed as a whole.
      done += granule - (gfn.value() & (granule - 1));
      steps.handled(1);
      changed++;
      if (changed % RETYPED_AT_ONCE == 0 && done < args.nr() && steps.next()) {
        return Outcome.preempted(
            new SetMemType(
                args.domid(),
                args.nr() - done,
                args.memType(),
                args.pad(),
                args.firstPfn().plus(done)));
      }
    }
    steps.finish();
    return Outcome.done();
  }

  public Outcome pinMemoryCacheattr(DomainId caller, PinMemoryCacheattr args) {
    Domain domain = targets.modelled(domains.caller(caller), args.domid());
    if (args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "pad is %d", args.pad());
    }
    long beyond = (args.start().value() | args.end().value()) >>> P2mTable.GFN_BITS;
    if (beyond != 0 || args.end().value() < args.start().value()) {
      throw Refusal.of(Errno.EINVAL, "no frames from %s to %s", args.start(), args.end());
    }
    if (args.type().value() == DELETE_MEM_CACHEATTR) {
      domain.p2m().types().unpinCache(args.start(), args.end());
      return Outcome.done();
    }
    CacheType type =
        CacheType.ofNumber(args.type().value())
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "memory cannot be cached as %s", args.type()));
    if (type.isForDevices() && !domain.p2m().settings().iommu() && !domain.hasIoCapabilities()) {
      throw Refusal.of(Errno.EPERM, "%s has no device that could look at memory", domain.id());
    }
    domain.p2m().types().pinCache(args.start(), args.end(), type);
    return Outcome.done();
  }

  private static void requireFrames(Domain domain, Gfn first, long count) {
    long last = first.value() + count - 1;
    if (Long.compareUnsigned(last, first.value()) < 0
        || count == 0
        || Long.compareUnsigned(last, domain.p2m().maxMappedGfn().value()) > 0) {
      throw Refusal.of(
          Errno.EINVAL,
          "%d guest frames from %s on; the highest of %s is %s",
          count,
          first,
          domain.id(),
          domain.p2m().maxMappedGfn());
    }
  }

  private static P2mType type(Domain domain, long memType) {
    return switch (Math.clamp(memType, -1, Integer.MAX_VALUE)) {
      case HVMMEM_RAM_RW -> P2mType.RAM_RW;
      case HVMMEM_RAM_RO -> P2mType.RAM_RO;
      case HVMMEM_MMIO_DM -> P2mType.MMIO_DM;
      default ->
          ClaimableType.ofNumber(domain, memType)
              .orElseThrow(() -> Refusal.of(Errno.EINVAL, "there is no mem_type %d", memType));
    };
  }

  private static void requireServer(Domain domain, P2mType type) {
    if (!domain.settings().hasHap()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s has no hardware-assisted paging", domain.id());
    }
    if (!domain.p2m().types().ioreq(type).kept()) {
      throw Refusal.of(Errno.EINVAL, "no ioreq server of %s has the type", domain.id());
    }
  }

  private static void change(Domain domain, Gfn gfn, P2mType wanted) {
    PhysicalMap map = domain.physicalMap().orElseThrow();
    P2mType type = map.obtainUnshared(gfn).type();
    if (P2mType.PAGING.contains(type)) {
      domain.features().paging().request(gfn);
      throw Refusal.of(Errno.EAGAIN, "guest frame %s of %s is %s", gfn, domain.id(), type);
    }
    if (type == P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.EAGAIN, "guest frame %s of %s stays shared", gfn, domain.id());
    }
    if (!mayBecome(type, wanted)) {
      throw Refusal.of(
          Errno.EINVAL, "guest frame %s of %s is %s, not to be %s", gfn, domain.id(), type, wanted);
    }
    domain.p2m().changeType(gfn, type, wanted);
    domain.facets().retyped(gfn, wanted);
  }

  private static boolean mayBecome(P2mType type, P2mType wanted) {
    if (P2mType.IOREQ.contains(wanted)) {
      return type == P2mType.RAM_RW;
    }
    if (P2mType.IOREQ.contains(type)) {
      return wanted == P2mType.RAM_RW;
    }
    return P2mType.RAM.contains(type) || (P2mType.HOLE.contains(type) && wanted == P2mType.MMIO_DM);
  }
}
