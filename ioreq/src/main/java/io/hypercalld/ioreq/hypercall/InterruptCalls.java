package io.hypercalld.ioreq.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Targets;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LinkRoute;
import io.hypercalld.core.interrupt.PciLine;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.InjectedEvent;
import java.util.OptionalInt;

/**
 * The dm_op operations by which device models interrupt a guest. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/dm.c; xen/arch/x86/hvm/irq.c, hvm_inject_msi"
 */
public final class InterruptCalls {
  private static final BitField VECTOR = BitField.bits("vector", 7, 0);
  private static final BitField DESTINATION = BitField.bits("destination", 19, 12);
  private static final BitField UPPER_PIRQ = BitField.bits("pirq", 63, 40);
  private static final int UPPER_PIRQ_SHIFT = 8;
  private static final int DEVICES = 32;
  private static final int LINES = 4;
  private static final int ISA_IRQS = 16;

  private final DomainTable domains;
  private final Targets targets;

  public InterruptCalls(DomainTable domains) {
    this.domains = domains;
    this.targets = new Targets(domains);
  }

  public Outcome setPciIntxLevel(DomainId caller, SetPciIntxLevel args) {
    Domain domain = target(caller, args.domid());
    requireBelow("domain", args.domain(), 1);
    requireBelow("bus", args.bus(), 1);
    requireBelow("device", args.device(), DEVICES);
    requireBelow("intx", args.intx(), LINES);
    requireBelow("level", args.level(), 2);
    PciLine line = new PciLine((int) args.device(), (int) args.intx());
    interrupts(domain).lines().setIntx(line, args.level() != 0);
    return Outcome.done();
  }

  public Outcome setIsaIrqLevel(DomainId caller, SetIsaIrqLevel args) {
    Domain domain = target(caller, args.domid());
    requireBelow("isa_irq", args.isaIrq(), ISA_IRQS);
    requireBelow("level", args.level(), 2);
    interrupts(domain).lines().setIsa((int) args.isaIrq(), args.level() != 0);
    return Outcome.done();
  }

  public Outcome setPciLinkRoute(DomainId caller, SetPciLinkRoute args) {
    Domain domain = target(caller, args.domid());
    requireBelow("link", args.link(), LINES);
    requireBelow("isa_irq", args.isaIrq(), ISA_IRQS);
    interrupts(domain).lines().setLinkRoute(new LinkRoute((int) args.link(), (int) args.isaIrq()));
    return Outcome.done();
  }

  public Outcome injectMsi(DomainId caller, InjectMsi args) {
    Domain domain = target(caller, args.domid());
    requireBelow("pad", args.pad(), 1);
    long address = args.addr().value();
    int data = (int) args.data().value();
    var router = interrupts(domain).router();
    if (router.message(OptionalInt.empty(), args.addr(), data).isPresent()) {
      return Outcome.done();
    }
    if (VECTOR.get(data) == 0) {
      domain
          .facet(DomainIo.class)
          .raiseEmulatedPirq(
              (UPPER_PIRQ.get(address) << UPPER_PIRQ_SHIFT) | DESTINATION.get(address));
      return Outcome.done();
    }
    Interrupt interrupt =
        interrupts(domain)
            .read(args.addr(), data)
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "data %s has a reserved delivery", args.data()));
    interrupts(domain).inject(interrupt);
    return Outcome.done();
  }

  public Outcome injectEvent(DomainId caller, InjectEvent args) {
    Domain domain = target(caller, args.domid());
    requireBelow("pad0", args.pad0(), 1);
    requireBelow("pad1", args.pad1(), 1);
    requireBelow("vcpuid", args.vcpuid(), domain.run().vcpus());
    domain
        .facet(DomainIo.class)
        .inject(
            (int) args.vcpuid(),
            new InjectedEvent(
                args.vector(), args.type(), args.errorCode().value(), args.cr2().value()));
    return Outcome.done();
  }

  private Domain target(DomainId caller, DomainId id) {
    return targets.modelled(domains.caller(caller), id);
  }

  private static DomainInterrupts interrupts(Domain domain) {
    return domain.facet(DomainInterrupts.class);
  }

  private static void requireBelow(String member, long value, long end) {
    if (value < 0 || value >= end) {
      throw Refusal.of(Errno.EINVAL, "%s is %d, which is not below %d", member, value, end);
    }
  }
}
