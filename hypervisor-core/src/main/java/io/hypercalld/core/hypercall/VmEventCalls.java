package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.domain.VmEvents;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * The calls on a domain's event rings and on the parameters that name their pages. Confined to the
 * machine thread.
 *
 * @see "xen/common/vm_event.c, vm_event_domctl; xen/arch/x86/hvm/hvm.c, hvmop_set_param"
 */
public final class VmEventCalls {
  private static final int ENABLE = 0;
  private static final int DISABLE = 1;
  private static final int RESUME = 2;
  private static final int GET_VERSION = 3;
  private static final int INTERFACE_VERSION = 7;

  private final DomainTable domains;

  VmEventCalls(DomainTable domains) {
    this.domains = domains;
  }

  public Outcome control(DomainId caller, VmEventOp args) {
    Domain by = domains.caller(caller);
    Domain domain = domains.forDomctl(by, args.domain());
    Privilege.PRIV.demand(by, domain);
    if (args.op() == GET_VERSION) {
      return Outcome.returning(new VmEventVersion(INTERFACE_VERSION));
    }
    if (domain == by) {
      throw Refusal.of(Errno.EINVAL, "%s cannot listen to itself", domain.id());
    }
    if (domain.isDying()) {
      return Outcome.done();
    }
    if (domain.run().vcpus() == 0) {
      throw Refusal.of(Errno.EINVAL, "%s has no vCPU", domain.id());
    }
    VmEventRing.Kind kind =
        VmEventRing.Kind.ofNumber(args.mode())
            .orElseThrow(() -> Refusal.of(Errno.ENOSYS, "there is no mode %d", args.mode()));
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", domain.id());
    }
    act(domain.features().events(), kind, args.op());
    return Outcome.done();
  }

  private static void act(VmEvents events, VmEventRing.Kind kind, long op) {
    if (op == ENABLE) {
      events.enable(kind);
    } else if (op == DISABLE) {
      events.disable(kind);
    } else if (op != RESUME) {
      throw Refusal.of(Errno.ENOSYS, "there is no operation %d", op);
    } else if (!events.ring(kind).isEnabled()) {
      throw Refusal.of(Errno.ENODEV, "nobody listens to the %s ring", kind);
    }
  }

  public Outcome setParam(DomainId caller, SetHvmParam args) {
    Domain by = domains.caller(caller);
    Domain domain = parameterized(by, args.domid(), args.index());
    int index = (int) args.index();
    if (domain == by && !HvmParams.isGuestWritable(index)) {
      throw Refusal.of(Errno.EPERM, "%s may not set parameter %d itself", domain.id(), index);
    }
    domain.features().events().params().set(index, args.value().value());
    return Outcome.done();
  }

  public Outcome getParam(DomainId caller, GetHvmParam args) {
    Domain by = domains.caller(caller);
    Domain domain = parameterized(by, args.domid(), args.index());
    int index = (int) args.index();
    if (domain == by && !HvmParams.isGuestReadable(index)) {
      throw Refusal.of(Errno.EPERM, "%s may not read parameter %d itself", domain.id(), index);
    }
    return Outcome.returning(
        new HvmParam(new Word(domain.features().events().params().get(index))));
  }

  private Domain parameterized(Domain caller, DomainId id, long index) {
    if (!HvmParams.exists(index)) {
      throw Refusal.of(Errno.EINVAL, "there is no parameter %d", index);
    }
    Domain domain = domains.any(caller, id);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s is PV", domain.id());
    }
    Privilege.TARGET.demand(caller, domain);
    return domain;
  }
}
