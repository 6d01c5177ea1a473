package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.memory.PageSize;

/** Carries out {@link ViommuOp}. Confined to the machine thread. */
public final class ViommuCalls {
  private static final long IRQ_REMAPPING = 1;

  private final DomainTable domains;
  private final VirtualIommus iommus;

  public ViommuCalls(DomainTable domains, VirtualIommus iommus) {
    this.domains = domains;
    this.iommus = iommus;
  }

  /** See {@link ViommuOp}. */
  public Outcome viommuOp(DomainId caller, ViommuOp args) {
    Domain by = domains.caller(caller);
    Domain target = domains.forDomctl(by, args.domain());
    Privilege.PRIV.demand(by, target);
    VirtualIommu iommu = iommus.of(target);
    iommus.requireAllowed(iommu.api());
    return switch (iommu.api()) {
      case V4 -> args.cmd() == ViommuOp.CREATE ? create(iommu, args) : unknown(args);
      case V3 ->
          switch (args.cmd()) {
            case ViommuOp.CREATE -> create(iommu, args);
            case ViommuOp.DESTROY -> destroy(iommu, args, Errno.ENODEV);
            default -> unknown(args);
          };
      case V2 ->
          switch (args.cmd()) {
            case ViommuOp.CREATE -> createWithLength(iommu, args);
            case ViommuOp.DESTROY -> destroy(iommu, args, Errno.EINVAL);
            case ViommuOp.QUERY_CAPS -> query(args);
            default -> unknown(args);
          };
    };
  }

  private static Outcome unknown(ViommuOp args) {
    throw Refusal.of(Errno.ENOSYS, "this generation of viommu_op has no command %d", args.cmd());
  }

  private static Outcome createWithLength(VirtualIommu iommu, ViommuOp args) {
    if (args.length().value() < PageSize.BYTES_4K) {
      throw Refusal.of(Errno.EINVAL, "%s bytes do not hold the registers", args.length());
    }
    return create(iommu, args);
  }

  private static Outcome create(VirtualIommu iommu, ViommuOp args) {
    iommu.requireNone();
    requireType(args);
    if (args.capabilities().value() != IRQ_REMAPPING) {
      throw Refusal.of(Errno.EINVAL, "capabilities %s: only bit 0 is known", args.capabilities());
    }
    iommu.create(VirtualUnitSettings.interruptsOnly(args.baseAddress()));
    return Outcome.returning(new ViommuOp.Created(0));
  }

  private static Outcome destroy(VirtualIommu iommu, ViommuOp args, Errno whenNone) {
    if (args.id() != 0 || iommu.unit().isEmpty()) {
      throw Refusal.of(whenNone, "there is no virtual IOMMU %d", args.id());
    }
    iommu.destroy();
    return Outcome.done();
  }

  private static Outcome query(ViommuOp args) {
    requireType(args);
    return Outcome.returning(new ViommuOp.Abilities(new Word(IRQ_REMAPPING)));
  }

  private static void requireType(ViommuOp args) {
    if (args.viommuType().value() != 0) {
      throw Refusal.of(Errno.EINVAL, "there is no virtual IOMMU of type %s", args.viommuType());
    }
  }
}
