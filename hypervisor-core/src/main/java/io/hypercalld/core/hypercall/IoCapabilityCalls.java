package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DeviceMap;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.Host;
import io.hypercalld.core.domain.IoPermissions;
import io.hypercalld.core.domain.PortMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.ranges.NumberRange;
import java.util.OptionalInt;

/**
 * The domctl hypercalls that hand out device memory, ports and interrupts. Confined to the machine
 * thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/domctl.c; xen/arch/x86/domctl.c"
 */
public final class IoCapabilityCalls {
  private static final long GSI_GRANT = 0x1;

  private final DomainTable domains;
  private final Targets targets;
  private final FrameTable frames;

  public IoCapabilityCalls(DomainTable domains, FrameTable frames) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.frames = frames;
  }

  public Outcome iomemPermission(DomainId caller, IomemPermission args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.privileged(by, args.domain());
    NumberRange mfns = range(args.firstMfn().value(), args.nrMfns().value());
    by.ioPermissions().demand(IoPermissions.Kind.MEMORY, mfns);
    permit(domain, IoPermissions.Kind.MEMORY, mfns, args.allowAccess() != 0);
    return Outcome.done();
  }

  public Outcome ioportPermission(DomainId caller, IoportPermission args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.privileged(by, args.domain());
    NumberRange ports = ports(args.firstPort(), args.nrPorts());
    by.ioPermissions().demand(IoPermissions.Kind.PORTS, ports);
    permit(domain, IoPermissions.Kind.PORTS, ports, args.allowAccess() != 0);
    return Outcome.done();
  }

  public Outcome irqPermission(DomainId caller, IrqPermission args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.privileged(by, args.domain());
    requireInterrupt(args.pirq());
    OptionalInt irq = by.facets().machineInterrupt(args.pirq());
    if (irq.isEmpty()) {
      throw Refusal.of(Errno.EPERM, "%s has no interrupt %d", by.id(), args.pirq());
    }
    return permitInterrupt(by, domain, irq.getAsInt(), args.allowAccess() != 0);
  }

  public Outcome gsiPermission(DomainId caller, GsiPermission args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.privileged(by, args.domain());
    if ((args.flags() & ~GSI_GRANT) != 0 || args.pad() != 0) {
      throw Refusal.of(Errno.EINVAL, "unknown flags, or pad is not 0");
    }
    requireInterrupt(args.gsi());
    return permitInterrupt(by, domain, args.gsi(), (args.flags() & GSI_GRANT) != 0);
  }

  private static void requireInterrupt(long number) {
    if (number < 0 || number >= Host.INTERRUPTS) {
      throw Refusal.of(Errno.EINVAL, "%d is none of %d interrupts", number, Host.INTERRUPTS);
    }
  }

  private static Outcome permitInterrupt(Domain by, Domain domain, long number, boolean allow) {
    NumberRange one = NumberRange.of(number, 1);
    by.ioPermissions().demand(IoPermissions.Kind.INTERRUPTS, one);
    permit(domain, IoPermissions.Kind.INTERRUPTS, one, allow);
    return Outcome.done();
  }

  private static void permit(
      Domain domain, IoPermissions.Kind kind, NumberRange range, boolean allow) {
    if (allow) {
      domain.ioPermissions().grant(kind, range);
    } else {
      domain.ioPermissions().revoke(kind, range);
    }
    // What devices may be behind decides the memory types of the domain's entries.
    domain.findP2m().ifPresent(p2m -> p2m.types().setIoCapabilities(domain.hasIoCapabilities()));
  }

  public Outcome memoryMapping(DomainId caller, MemoryMapping args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.asDomctl(by, args.domain(), Privilege.DM_PRIV);
    long count = args.nrMfns().value();
    NumberRange mfns = range(args.firstMfn().value(), count);
    range(args.firstGfn().value(), count);
    int frameBits = domains.host().addressWidth() - PageSize.SHIFT_4K;
    if (mfns.first() >>> frameBits != 0 || mfns.last() >>> frameBits != 0) {
      throw Refusal.of(Errno.EINVAL, "frames %s are beyond 2^%d", mfns, frameBits);
    }
    if (!domain.type().isTranslated()) {
      return Outcome.done();
    }
    by.ioPermissions().demand(IoPermissions.Kind.MEMORY, mfns);
    DeviceMap map = new DeviceMap(domain, frames);
    long done;
    if (args.addMapping() != 0) {
      domain.ioPermissions().demand(IoPermissions.Kind.MEMORY, mfns);
      done = map.map(args.firstGfn(), args.firstMfn(), count);
    } else {
      done = map.unmap(args.firstGfn(), args.firstMfn(), count);
    }
    return Outcome.count(done == count ? 0 : done);
  }

  public Outcome ioportMapping(DomainId caller, IoportMapping args) {
    Domain by = domains.caller(caller);
    Domain domain = targets.asDomctl(by, args.domain(), Privilege.DM_PRIV);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV", domain.id());
    }
    NumberRange machine = ports(args.firstMport(), args.nrPorts());
    NumberRange guest = ports(args.firstGport(), args.nrPorts());
    by.ioPermissions().demand(IoPermissions.Kind.PORTS, machine);
    if (args.addMapping() != 0) {
      domain.ioPermissions().demand(IoPermissions.Kind.PORTS, machine);
      domain.portMap().add(new PortMap.Mapping(machine, guest.first()));
    } else {
      domain.portMap().remove(machine);
    }
    return Outcome.done();
  }

  private static NumberRange ports(Word first, Word count) {
    long begin = first.value();
    long number = count.value();
    boolean fits =
        number > 0
            && number <= Host.PORTS
            && begin >= 0
            && begin < Host.PORTS
            && begin + number <= Host.PORTS;
    if (!fits) {
      throw Refusal.of(Errno.EINVAL, "%s ports from %s on: there are 0x10000", count, first);
    }
    return NumberRange.of(begin, number);
  }

  private static NumberRange range(long first, long count) {
    if (count == 0 || Long.compareUnsigned(first, first + count - 1) > 0) {
      throw Refusal.of(
          Errno.EINVAL, "%s numbers from 0x%x on", Long.toUnsignedString(count), first);
    }
    return NumberRange.of(first, count);
  }
}
