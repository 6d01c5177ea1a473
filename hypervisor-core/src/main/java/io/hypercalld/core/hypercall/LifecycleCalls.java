package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFlag;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainState;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * The domctl hypercalls about a domain's life and what tools note on it. Confined to the machine
 * thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/domctl.c, do_domctl"
 */
public final class LifecycleCalls {
  private static final int TRIGGER_NMI = 0;
  private static final int TRIGGER_POWER = 3;
  private static final int TRIGGER_SLEEP = 4;
  private static final int EXISTS = 0x1;
  private static final int SHUTDOWN = 0x2;
  private static final int DYING = 0x4;
  private static final int DEAD = 0x8;
  private static final int CONTROL = 0x1;
  private static final int HARDWARE = 0x2;
  private static final int XENSTORE = 0x4;

  private final DomainTable domains;
  private final Targets targets;

  public LifecycleCalls(DomainTable domains) {
    this.domains = domains;
    this.targets = new Targets(domains);
  }

  public Outcome resumeDomain(DomainId caller, ResumeDomain args) {
    targets.other(domains.caller(caller), args.domain()).run().resume();
    return Outcome.done();
  }

  public Outcome setDomainHandle(DomainId caller, SetDomainHandle args) {
    targets.privileged(domains.caller(caller), args.domain()).notes().setHandle(args.handle());
    return Outcome.done();
  }

  public Outcome setDebugging(DomainId caller, SetDebugging args) {
    targets.other(domains.caller(caller), args.domain()).notes().setDebugged(args.enable() != 0);
    return Outcome.done();
  }

  public Outcome subscribe(DomainId caller, Subscribe args) {
    targets.privileged(domains.caller(caller), args.domain()).notes().setSuspendPort(args.port());
    return Outcome.done();
  }

  public Outcome sendTrigger(DomainId caller, SendTrigger args) {
    Domain domain = targets.privileged(domains.caller(caller), args.domain());
    requireVcpu(domain, args.vcpu(), Errno.ESRCH);
    boolean button = args.trigger() == TRIGGER_POWER || args.trigger() == TRIGGER_SLEEP;
    if (button && !domain.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s has no buttons, being PV", domain.id());
    }
    if (!button && args.trigger() != TRIGGER_NMI) {
      throw Refusal.of(Errno.ENOSYS, "there is no trigger %d", args.trigger());
    }
    return Outcome.done();
  }

  public Outcome getVcpuInfo(DomainId caller, GetVcpuInfo args) {
    Domain domain = targets.privileged(domains.caller(caller), args.domain());
    requireVcpu(domain, args.vcpu(), Errno.ENOENT);
    int vcpu = (int) args.vcpu();
    boolean online = domain.run().isOnline(vcpu);
    boolean running = online && domain.isRunning() && !domain.run().isVcpuPaused(vcpu);
    return Outcome.returning(new VcpuReport(online ? 1 : 0, 0, running ? 1 : 0, 0, 0));
  }

  public Outcome getDomainState(DomainId caller, GetDomainState args) {
    Domain by = domains.caller(caller);
    boolean any = args.domain().equals(DomainId.INVALID);
    Domain named = any ? by : targets.asDomctl(by, args.domain(), Privilege.XS_PRIV);
    if (args.pad0() != 0) {
      throw Refusal.of(Errno.EINVAL, "pad0 is %d", args.pad0());
    }
    return Outcome.returning(report(any ? changed(by) : named));
  }

  // The event of a changed domain goes to the hardware domain, as nobody can bind it elsewhere.
  private Domain changed(Domain caller) {
    if (!caller.isHardwareDomain()) {
      throw Refusal.of(Errno.EACCES, "%s is not told of changed domains", caller.id());
    }
    Domain domain =
        domains.all().stream()
            .filter(each -> each.notes().isStateChanged())
            .findFirst()
            .orElseThrow(() -> Refusal.of(Errno.ENOENT, "no domain has changed"));
    domain.notes().clearStateChange();
    return domain;
  }

  private static DomainStateReport report(Domain domain) {
    int state =
        EXISTS
            | flag(domain.run().isShutDown(), SHUTDOWN)
            | flag(domain.isDying(), DYING)
            | flag(domain.state() == DomainState.DEAD, DEAD);
    int caps =
        flag(domain.isControlDomain(), CONTROL)
            | flag(domain.isHardwareDomain(), HARDWARE)
            | flag(domain.settings().has(DomainFlag.XS_DOMAIN), XENSTORE);
    return new DomainStateReport(domain.id(), state, caps, domain.notes().uniqueId());
  }

  private static int flag(boolean set, int mask) {
    return set ? mask : 0;
  }

  private static void requireVcpu(Domain domain, long vcpu, Errno errno) {
    if (vcpu < 0 || vcpu >= domain.run().vcpus()) {
      throw Refusal.of(errno, "%s has no vCPU %d", domain.id(), vcpu);
    }
  }
}
