package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.IoPermissions;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.Targets;
import io.hypercalld.core.interrupt.PciLine;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.iommu.interrupt.DomainPirqs;
import io.hypercalld.iommu.interrupt.GuestFlags;
import io.hypercalld.iommu.interrupt.GuestLine;
import io.hypercalld.iommu.interrupt.GuestMessage;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.interrupt.MessageRequest;
import io.hypercalld.iommu.interrupt.Pirq;
import io.hypercalld.iommu.pci.SourceId;
import java.util.Optional;

/**
 * Carries out the hypercalls that concern interrupts of the machine. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/physdev.c; xen/arch/x86/domctl.c"
 */
public final class InterruptCalls {
  private static final int VECTORS = 256;

  private final DomainTable domains;
  private final Targets targets;
  private final Interrupts interrupts;

  public InterruptCalls(DomainTable domains, Interrupts interrupts) {
    this.domains = domains;
    this.targets = new Targets(domains);
    this.interrupts = interrupts;
  }

  /** See {@link MapPirq}. */
  public Outcome mapPirq(DomainId caller, MapPirq args) {
    Domain by = domains.caller(caller);
    Domain target = domains.any(by, args.domid());
    if (target == by && interrupts.ownPirqs().isServed(target)) {
      return mapOwnPirq(target, args);
    }
    Privilege.DM_PRIV.demand(by, target);
    return switch (args.type()) {
      case MapPirq.TYPE_GSI ->
          Outcome.returning(
              new MapPirq.Mapped(
                  interrupts.mapping().mapGsi(by, target, args.index(), args.pirq()), 0));
      case MapPirq.TYPE_MSI, MapPirq.TYPE_MSI_SEG, MapPirq.TYPE_MULTI_MSI ->
          mapMessages(by, target, args);
      default -> throw Refusal.of(Errno.EINVAL, "no type %d of interrupts is mapped", args.type());
    };
  }

  private Outcome mapOwnPirq(Domain domain, MapPirq args) {
    if (args.type() != MapPirq.TYPE_GSI) {
      throw Refusal.of(Errno.EINVAL, "a domain maps nothing but pins for itself");
    }
    int number = interrupts.ownPirqs().map(domain, args.index(), args.pirq());
    return Outcome.returning(new MapPirq.Mapped(number, args.entryNr()));
  }

  private Outcome mapMessages(Domain by, Domain target, MapPirq args) {
    boolean several = args.type() == MapPirq.TYPE_MULTI_MSI;
    if (several && args.tableBase().value() != 0) {
      throw Refusal.of(Errno.EINVAL, "a block of messages is in no table");
    }
    boolean msiX = args.tableBase().value() != 0;
    MessageRequest request =
        new MessageRequest(
            function(args).in(args.type() == MapPirq.TYPE_MSI ? 0 : segment(args)),
            several ? -1 : args.index(),
            args.pirq(),
            msiX,
            msiX ? clamp(args.entryNr()) : 0,
            several ? clamp(args.entryNr()) : 1);
    try {
      MessageRequest.Mapped mapped = interrupts.mapping().mapMessages(by, target, request);
      return Outcome.returning(
          new MapPirq.Mapped(mapped.pirq(), several ? mapped.block() : args.entryNr()));
    } catch (Refusal refusal) {
      long fewer = refusal.out() instanceof Integer possible ? possible : args.entryNr();
      throw refusal.returning(new MapPirq.Mapped(args.pirq(), fewer));
    }
  }

  private static SourceId function(MapPirq args) {
    return SourceId.of((int) args.bus() & 0xff, (int) args.devfn() & 0xff);
  }

  private static int segment(MapPirq args) {
    return (int) (args.bus() >>> 16) & 0xffff;
  }

  private static int clamp(long number) {
    return (int) Math.max(-1, Math.min(Integer.MAX_VALUE, number));
  }

  /** See {@link UnmapPirq}. */
  public Outcome unmapPirq(DomainId caller, UnmapPirq args) {
    Domain by = domains.caller(caller);
    Domain target = domains.any(by, args.domid());
    boolean own = target == by && interrupts.ownPirqs().isServed(target);
    if (own && interrupts.ownPirqs().unmap(target, args.pirq())) {
      return Outcome.done();
    }
    if (!own) {
      Privilege.DM_PRIV.demand(by, target);
    }
    interrupts.mapping().unmap(target, args.pirq());
    return Outcome.done();
  }

  /** See {@link BindPtIrq}. */
  public Outcome bindPtIrq(DomainId caller, BindPtIrq args) {
    Domain target = target(caller, args.domain(), args.machineIrq());
    if (!target.settings().hasIommu()) {
      throw Refusal.of(Errno.ESRCH, "%s was created without IOMMU", target.id());
    }
    switch (args.irqType()) {
      case BindPtIrq.TYPE_MSI ->
          interrupts.binding().bindMessage(target, args.machineIrq(), message(args.u().msi()));
      case BindPtIrq.TYPE_PCI, BindPtIrq.TYPE_MSI_TRANSLATE ->
          interrupts
              .binding()
              .bindWire(
                  target,
                  args.machineIrq(),
                  line(args.u().pci()),
                  args.irqType() == BindPtIrq.TYPE_MSI_TRANSLATE);
      default -> throw unsupported(args.irqType());
    }
    return Outcome.done();
  }

  private static GuestMessage message(PtIrqBinding.Msi msi) {
    GuestFlags flags = new GuestFlags(msi.gflags().value());
    if (msi.addr().isPresent() != msi.data().isPresent()) {
      throw Refusal.of(Errno.EINVAL, "a message has an address and data");
    }
    return msi.addr()
        .map(
            address -> written(address, msi.data().orElseThrow(), flags.isUnmasked(), msi.gtable()))
        .orElseGet(() -> GuestMessage.of(vector(msi.gvec()), flags, msi.gtable()));
  }

  private static GuestMessage written(Word address, Word data, boolean unmasked, Word table) {
    if (data.value() >>> Integer.SIZE != 0) {
      throw Refusal.of(Errno.EINVAL, "data has 32 bits, not %s", data);
    }
    return new GuestMessage(address, (int) data.value(), unmasked, table);
  }

  /** See {@link BindPtMsiIrq}. */
  public Outcome bindPtMsiIrq(DomainId caller, BindPtMsiIrq args) {
    Domain by = domains.caller(caller);
    Domain target = targets.modelled(by, args.domid());
    requirePermission(by, target, args.machineIrq());
    if (!target.settings().hasIommu()) {
      throw Refusal.of(Errno.ESRCH, "%s was created without IOMMU", target.id());
    }
    GuestMessage message = written(args.addr(), args.data(), args.unmasked() != 0, args.gtable());
    interrupts.binding().bindMessage(target, args.machineIrq(), message);
    return Outcome.done();
  }

  /** See {@link UnbindPtMsiIrq}. */
  public Outcome unbindPtMsiIrq(DomainId caller, UnbindPtMsiIrq args) {
    Domain by = domains.caller(caller);
    Domain target = targets.modelled(by, args.domid());
    requirePermission(by, target, args.machineIrq());
    interrupts.binding().unbindMessage(target, args.machineIrq());
    return Outcome.done();
  }

  /** See {@link UnbindPtIrq}. */
  public Outcome unbindPtIrq(DomainId caller, UnbindPtIrq args) {
    Domain target = target(caller, args.domain(), args.machineIrq());
    if (!target.settings().hasIommu()) {
      return Outcome.done();
    }
    switch (args.irqType()) {
      case BindPtIrq.TYPE_MSI -> interrupts.binding().unbindMessage(target, args.machineIrq());
      case BindPtIrq.TYPE_PCI, BindPtIrq.TYPE_MSI_TRANSLATE ->
          interrupts.binding().unbindWire(target, args.machineIrq(), line(args.u().pci()));
      default -> throw unsupported(args.irqType());
    }
    return Outcome.done();
  }

  /**
   * In Xen's order: kind of domain, privilege, and only then whether the interrupt is the caller's.
   */
  private Domain target(DomainId caller, DomainId id, long number) {
    Domain by = domains.caller(caller);
    Domain target = domains.forDomctl(by, id);
    if (!target.type().isTranslated()) {
      throw Refusal.of(Errno.EINVAL, "%s is PV and gets its interrupts as events", id);
    }
    Privilege.DM_PRIV.demand(by, target);
    requirePermission(by, target, number);
    return target;
  }

  private static void requirePermission(Domain by, Domain target, long number) {
    Optional<Pirq> pirq = target.facet(DomainPirqs.class).find(number);
    boolean permitted =
        pirq.filter(
                found ->
                    by.ioPermissions()
                        .permits(IoPermissions.Kind.INTERRUPTS, NumberRange.of(found.irq(), 1)))
            .isPresent();
    if (!permitted) {
      throw Refusal.of(
          Errno.EPERM, "%s may not have interrupt %d of %s", by.id(), number, target.id());
    }
  }

  private static int vector(int vector) {
    if (vector < 0 || vector >= VECTORS) {
      throw Refusal.of(Errno.EINVAL, "there is no vector %d", vector);
    }
    return vector;
  }

  private static GuestLine line(PtIrqBinding.Pci pci) {
    if (!PciLine.exists(pci.device(), pci.intx())) {
      throw Refusal.of(
          Errno.EINVAL, "there is no line %d of a device %d", pci.intx(), pci.device());
    }
    return new GuestLine((int) pci.bus(), new PciLine((int) pci.device(), pci.intx()));
  }

  private static Refusal unsupported(int type) {
    return Refusal.of(Errno.EOPNOTSUPP, "interrupts of type %d are not bound on x86", type);
  }
}
