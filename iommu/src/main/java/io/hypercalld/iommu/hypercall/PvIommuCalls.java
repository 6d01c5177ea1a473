package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Continuations;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Steps;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.DeviceMapping;
import io.hypercalld.iommu.driver.GuestContext;
import io.hypercalld.iommu.driver.GuestContexts;
import io.hypercalld.iommu.driver.IommuApi;
import io.hypercalld.iommu.hypercall.PvIommuOps.PvIommuOp;
import io.hypercalld.iommu.hypercall.PvIommuOps.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Carries out {@code iommu_op} as of 2016: operations with a status each on one space. Confined to
 * the machine thread.
 *
 * @see "spec/documents.md S1-D21"
 */
public final class PvIommuCalls {
  private static final BitField READABLE = BitField.bit("readable", 0);
  private static final BitField WRITEABLE = BitField.bit("writeable", 1);
  private static final BitField NO_REF_CNT = BitField.bit("no_ref_cnt", 2);
  private static final BitField ORDER = BitField.bits("order", 15, 10);
  private static final long MAP_CAP = 1;

  /** Frames that a table of four levels translates. */
  private static final long BUS_FRAMES = 1L << 36;

  private final DomainTable domains;
  private final Continuations continuations;

  public PvIommuCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
  }

  /** See {@link PvIommuOps}. */
  public Outcome operations(DomainId caller, PvIommuOps args) {
    Domain domain = domains.caller(caller);
    GuestContexts contexts = contexts(domain);
    int count = count(args);
    Batch batch = new Batch(domain, contexts);
    Steps steps = continuations.begin(domain);
    List<Status> statuses = new ArrayList<>();
    boolean stopped = false;
    while (statuses.size() < count && !stopped) {
      statuses.add(status(batch, args.ops().get(statuses.size())));
      stopped = statuses.size() < count && steps.handled(1);
    }
    contexts.all().values().forEach(GuestContext::flush);
    PvIommuOps.Statuses progress = new PvIommuOps.Statuses(statuses);
    if (stopped) {
      return Outcome.preempted(args.between(statuses.size(), count), progress);
    }
    steps.finish();
    return Outcome.returning(progress);
  }

  private static int count(PvIommuOps args) {
    long count = args.count().orElse((long) args.ops().size());
    if (count < 0 || count > Integer.MAX_VALUE) {
      throw Refusal.of(Errno.EINVAL, "%d operations are a negative number", count);
    }
    if (count > args.ops().size()) {
      throw Refusal.of(Errno.EFAULT, "%d of %d operations", count, args.ops().size());
    }
    return (int) count;
  }

  private static GuestContexts contexts(Domain domain) {
    Optional<GuestContexts> contexts = domain.findFacet(GuestContexts.class);
    if (contexts.filter(GuestContexts::isDriverDomain).isEmpty()) {
      throw Refusal.of(Errno.ENOSYS, "%s drives no hardware", domain.id());
    }
    if (contexts.get().api() != IommuApi.OPERATIONS) {
      throw Refusal.of(
          Errno.ENOSYS, "%s has the iommu_op of %s", domain.id(), contexts.get().api());
    }
    if (!contexts.get().isAllowed()) {
      throw Refusal.of(Errno.EPERM, "no unit translates for %s", domain.id());
    }
    return contexts.get();
  }

  /** The caller, and the contexts of which its operations are on the only one. */
  private record Batch(Domain domain, GuestContexts contexts) {
    DeviceMapping require(Gfn bfn) {
      return contexts
          .only()
          .flatMap(space -> space.at(bfn))
          .orElseThrow(() -> Refusal.of(Errno.ENOENT, "nothing is mapped at 0x%x", bfn.value()));
    }
  }

  private Status status(Batch batch, PvIommuOp op) {
    try {
      return execute(batch, op);
    } catch (Refusal refusal) {
      return Status.of(-errno(refusal).number());
    }
  }

  /** This generation had fewer words for what went wrong. */
  private static Errno errno(Refusal refusal) {
    return switch (refusal.errno()) {
      case EADDRINUSE -> Errno.EPERM;
      case EINVAL -> Errno.ENOENT;
      case ESRCH -> Errno.ENXIO;
      case ENOMEM, EBUSY -> Errno.EIO;
      default -> refusal.errno();
    };
  }

  private Status execute(Batch batch, PvIommuOp op) {
    return switch (op.subopId()) {
      case PvIommuOps.QUERY_CAPS -> new Status(0, Optional.of(MAP_CAP), Optional.empty());
      case PvIommuOps.MAP_PAGE -> map(batch, batch.domain, op);
      case PvIommuOps.UNMAP_PAGE -> unmap(batch, op, false);
      case PvIommuOps.MAP_FOREIGN_PAGE -> map(batch, foreign(batch, op), op);
      case PvIommuOps.LOOKUP_FOREIGN_PAGE -> lookUp(batch, op);
      case PvIommuOps.UNMAP_FOREIGN_PAGE -> unmap(batch, op, true);
      default -> Status.of(-Errno.ENODEV.number());
    };
  }

  private static Status map(Batch batch, Domain owner, PvIommuOp op) {
    if (ORDER.get(op.flags()) != 0) {
      throw Refusal.of(Errno.ENOSPC, "only single pages are mapped");
    }
    if (op.bfn().value() < 0 || op.bfn().value() >= BUS_FRAMES) {
      throw Refusal.of(Errno.EIO, "no table has an entry for frame 0x%x", op.bfn().value());
    }
    DmaPermission permission =
        DmaPermission.of(READABLE.isSet(op.flags()), WRITEABLE.isSet(op.flags()));
    DeviceMapping page =
        GuestContexts.page(owner, op.gfn(), permission)
            .with(!NO_REF_CNT.isSet(op.flags()), op.ioserver());
    batch.contexts.mapInOnly(op.bfn(), page, permission);
    return Status.of(0);
  }

  /** Control domains map others' pages, but not those of PV domains, and not their own as such. */
  private Domain foreign(Batch batch, PvIommuOp op) {
    Domain target = domains.byId(op.domid());
    boolean allowed = batch.domain.isControlDomain() || batch.domain.isDeviceModelOf(target);
    if (target == batch.domain || !target.type().isTranslated() || !allowed) {
      throw Refusal.of(Errno.EPERM, "%s may not map pages of %s", batch.domain.id(), target.id());
    }
    return target;
  }

  private Status lookUp(Batch batch, PvIommuOp op) {
    Domain target = foreign(batch, op);
    return batch.contexts.only().stream()
        .flatMap(space -> space.mappings().entrySet().stream())
        .filter(
            entry ->
                entry.getValue().owner().equals(target.id())
                    && entry.getValue().gfn().equals(op.gfn())
                    && entry.getValue().ioserver() == op.ioserver())
        .mapToLong(Map.Entry::getKey)
        .sorted()
        .mapToObj(Gfn::new)
        .findFirst()
        .map(bfn -> new Status(0, Optional.empty(), Optional.of(bfn)))
        .orElseThrow(
            () -> Refusal.of(Errno.ENOENT, "%s of %s is not mapped", op.gfn(), target.id()));
  }

  private static Status unmap(Batch batch, PvIommuOp op, boolean foreign) {
    DeviceMapping mapping = batch.require(op.bfn());
    boolean isForeign = !mapping.owner().equals(batch.domain.id());
    if (isForeign != foreign || (foreign && mapping.ioserver() != op.ioserver())) {
      throw Refusal.of(Errno.EPERM, "0x%x is mapped for another", op.bfn().value());
    }
    batch.contexts.only().orElseThrow().unmap(op.bfn(), 1);
    return Status.of(0);
  }
}
