package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.LocalApics;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * What domains get of the interrupts that they have. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/x86/hvm.c, pt_irq_create_bind and pt_irq_destroy_bind"
 */
public final class PirqBinding {
  private static final OptionalInt NONE = OptionalInt.empty();

  private final MachineInterrupts machine;
  private final Posting posting;
  private final GuestDelivery delivery;
  private long rederived;

  PirqBinding(MachineInterrupts machine, Posting posting, GuestDelivery delivery) {
    this.delivery = delivery;
    this.machine = machine;
    this.posting = posting;
  }

  /**
   * Has an interrupt arrive as a message; one that is bound as a message already is changed.
   *
   * @throws Refusal EINVAL the domain has no such interrupt, or sees the table of what is no
   *     message; EBUSY it is bound to wires, or others have it and do not share
   */
  public void bindMessage(Domain domain, long number, GuestMessage wanted) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    Pirq pirq = require(pirqs, number);
    MachineInterrupt interrupt = machine.find(pirq.irq()).orElseThrow();
    boolean inTable = begin(domain, pirq, interrupt, wanted.table().value());
    pirqs.noteBound();
    GuestBinding.Message derived =
        derive(domain, interrupt, GuestBinding.Message.of(wanted, inTable));
    pirqs.put(pirq.with(Optional.of(derived)));
    derived.vcpu().ifPresent(target -> follow(domain, interrupt, target));
    if (wanted.unmasked()) {
      machine.setMasked(interrupt, false);
    }
  }

  /** Finds out whom a message is for now, and has hardware post it where that can be. */
  private GuestBinding.Message derive(
      Domain domain, MachineInterrupt interrupt, GuestBinding.Message message) {
    Optional<Interrupt> meant = delivery.foresee(domain, interrupt, message);
    OptionalInt vcpu = meant.map(one -> only(domain, one)).orElse(NONE);
    return message.to(vcpu, post(domain, interrupt, meant, vcpu));
  }

  /**
   * The domain changed its own remapping entries, and has had the old ones forgotten: messages that
   * go through them are for others now.
   *
   * @param affected which messages may go elsewhere
   * @see "spec/documents.md S1-D12"
   */
  public void rederive(Domain domain, Predicate<RemappableMessage> affected) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    for (Pirq pirq : List.copyOf(pirqs.all())) {
      if (pirq.binding().orElse(null) instanceof GuestBinding.Message message
          && affected.test(message.asWritten())) {
        MachineInterrupt interrupt = machine.find(pirq.irq()).orElseThrow();
        GuestBinding.Message derived = derive(domain, interrupt, message);
        pirqs.put(pirq.with(Optional.of(derived)));
        rederived++;
        derived.vcpu().ifPresent(target -> followIfPossible(domain, interrupt, target));
      }
    }
  }

  /** How often a binding was derived anew because the domain changed its entries. */
  public long rederived() {
    return rederived;
  }

  /** The vector that a message has in the domain now; empty where it would be blocked there. */
  public OptionalInt vectorOf(Domain domain, Pirq pirq, GuestBinding.Message message) {
    return delivery.vectorOf(domain, machine.find(pirq.irq()).orElseThrow(), message);
  }

  /** The first time the interrupt is passed on, and its table watched; whether that is. */
  private boolean begin(Domain domain, Pirq pirq, MachineInterrupt interrupt, long table) {
    return switch (pirq.binding().orElse(null)) {
      case null -> {
        requirePassable(interrupt, domain, false);
        if (table != 0) {
          register(domain, interrupt, table);
        }
        pass(interrupt, domain, false);
        yield table != 0;
      }
      case GuestBinding.Message message -> message.inTable();
      case GuestBinding.Wires _ ->
          throw Refusal.of(Errno.EBUSY, "interrupt %d is bound to wires", pirq.number());
    };
  }

  private static void register(Domain domain, MachineInterrupt interrupt, long table) {
    MsiSource message =
        interrupt
            .message()
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "interrupt %d is in no table", interrupt.number()));
    domain.facet(MsixTables.class).register(message.sbdf(), table);
  }

  /** The one vCPU that a message is for; empty where it is for several, or none. */
  private static OptionalInt only(Domain domain, Interrupt wanted) {
    if (domain.settings().maxVcpus() == 1) {
      return OptionalInt.of(0);
    }
    List<Integer> meant = apicsOf(domain).destinations(wanted);
    return meant.size() == 1 ? OptionalInt.of(meant.getFirst()) : NONE;
  }

  private static LocalApics apicsOf(Domain domain) {
    return domain.facet(DomainInterrupts.class).apics();
  }

  private boolean post(
      Domain domain, MachineInterrupt interrupt, Optional<Interrupt> meant, OptionalInt only) {
    if (!posting.isOn() || interrupt.message().isEmpty()) {
      return false;
    }
    OptionalInt vcpu =
        meant
            .filter(wanted -> wanted.delivery() == DeliveryMode.LOWEST_PRIORITY)
            .map(wanted -> hashed(domain, wanted))
            .orElse(only);
    if (vcpu.isEmpty() || meant.isEmpty()) {
      posting.restore(interrupt);
      return false;
    }
    posting.post(interrupt, domain, vcpu.getAsInt(), meant.get().vector());
    return true;
  }

  /** One of the vCPUs that could take it, picked by the vector. */
  private static OptionalInt hashed(Domain domain, Interrupt wanted) {
    List<Integer> eligible = apicsOf(domain).destinations(wanted);
    return eligible.isEmpty()
        ? NONE
        : OptionalInt.of(eligible.get(wanted.vector() % eligible.size()));
  }

  /**
   * A vCPU runs somewhere else: so go the messages that are for it alone, as far as vectors are
   * free there; those that are posted find it by themselves.
   *
   * @see "xen/arch/x86/hvm/hvm.c, hvm_migrate_pirqs"
   */
  void follow(Domain domain, int vcpu) {
    for (Pirq pirq : PirqMapping.pirqsOf(domain).all()) {
      if (pirq.binding().orElse(null) instanceof GuestBinding.Message message
          && !message.posted()
          && message.vcpu().equals(OptionalInt.of(vcpu))) {
        machine.find(pirq.irq()).ifPresent(interrupt -> followIfPossible(domain, interrupt, vcpu));
      }
    }
  }

  private void followIfPossible(Domain domain, MachineInterrupt interrupt, int vcpu) {
    try {
      follow(domain, interrupt, vcpu);
    } catch (Refusal noVector) {
      // It reaches the vCPU from the processor where it arrives now, too.
      return;
    }
  }

  /** The machine's interrupt goes where the vCPU runs. */
  private void follow(Domain domain, MachineInterrupt interrupt, int vcpu) {
    machine.retarget(interrupt, domain.facet(VirtualProcessors.class).place(vcpu).processor());
  }

  /**
   * Has an interrupt assert a wire, beside those that it asserts already.
   *
   * @param translated whether a message asserts it
   * @throws Refusal EINVAL the domain has no such interrupt; EBUSY others have it and do not share
   */
  public void bindWire(Domain domain, long number, GuestLine line, boolean translated) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    Pirq pirq = require(pirqs, number);
    List<GuestLine> lines = new ArrayList<>();
    boolean asMessage = translated;
    if (pirq.binding().isEmpty()) {
      pass(machine.find(pirq.irq()).orElseThrow(), domain, !translated);
    } else if (pirq.binding().get() instanceof GuestBinding.Wires wires) {
      lines.addAll(wires.lines());
      asMessage = wires.translated();
    } else {
      throw Refusal.of(Errno.EBUSY, "interrupt %d is bound as a message", number);
    }
    lines.add(line);
    pirqs.noteBound();
    pirqs.put(pirq.with(Optional.of(new GuestBinding.Wires(asMessage, lines))));
  }

  private static Pirq require(DomainPirqs pirqs, long number) {
    return pirqs
        .find(number)
        .orElseThrow(
            () -> Refusal.of(Errno.EINVAL, "%s has no interrupt %d", pirqs.domain().id(), number));
  }

  private static void requirePassable(MachineInterrupt interrupt, Domain domain, boolean share) {
    if (!interrupt.guests().isEmpty() && !(share && interrupt.isShareable())) {
      throw Refusal.of(
          Errno.EBUSY, "interrupt %d is not shared with %s", interrupt.number(), domain.id());
    }
  }

  private void pass(MachineInterrupt interrupt, Domain domain, boolean share) {
    requirePassable(interrupt, domain, share);
    boolean alone = interrupt.guests().isEmpty();
    interrupt.passTo(domain.id(), share);
    if (alone) {
      follow(domain, interrupt, 0);
      machine.setMasked(interrupt, interrupt.message().map(MsiSource::msiX).orElse(false));
    }
  }

  /**
   * Has a message arrive no more.
   *
   * @throws Refusal EINVAL the domain has no such interrupt, or never bound any
   */
  public void unbindMessage(Domain domain, long number) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    Pirq pirq = require(pirqs, number);
    requireBindings(pirqs);
    machine.setMasked(machine.find(pirq.irq()).orElseThrow(), true);
    if (pirq.binding().filter(GuestBinding.Message.class::isInstance).isPresent()) {
      drop(pirqs, pirq);
    }
  }

  /**
   * Has a wire be asserted no more; with its last wire the interrupt ceases to arrive.
   *
   * @throws Refusal EINVAL nothing was ever bound, or the wire is not asserted by the interrupt
   */
  public void unbindWire(Domain domain, long number, GuestLine line) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    requireBindings(pirqs);
    Pirq pirq = require(pirqs, number);
    if (!(pirq.binding().orElse(null) instanceof GuestBinding.Wires wires)
        || !wires.lines().contains(line)) {
      throw Refusal.of(Errno.EINVAL, "interrupt %d asserts no such wire", number);
    }
    List<GuestLine> left = new ArrayList<>(wires.lines());
    left.remove(line);
    domain.facet(DomainInterrupts.class).lines().setIntx(line.line(), false);
    if (left.isEmpty()) {
      drop(pirqs, pirq);
    } else {
      pirqs.put(pirq.with(Optional.of(new GuestBinding.Wires(wires.translated(), left))));
    }
  }

  private static void requireBindings(DomainPirqs pirqs) {
    if (!pirqs.isEverBound() && !pirqs.domain().isHardwareDomain()) {
      throw Refusal.of(Errno.EINVAL, "%s never bound an interrupt", pirqs.domain().id());
    }
  }

  /** Ends whatever is bound. */
  void drop(DomainPirqs pirqs, Pirq pirq) {
    if (pirq.binding().isEmpty()) {
      return;
    }
    MachineInterrupt interrupt = machine.find(pirq.irq()).orElseThrow();
    if (pirq.binding().get() instanceof GuestBinding.Message message) {
      unbind(pirqs.domain(), interrupt, message);
    }
    interrupt.passNoMoreTo(pirqs.domain().id());
    if (interrupt.guests().isEmpty()) {
      machine.setMasked(interrupt, true);
    }
    pirqs.put(pirq.with(Optional.empty()));
  }

  private void unbind(Domain domain, MachineInterrupt interrupt, GuestBinding.Message message) {
    if (message.posted()) {
      posting.restore(interrupt);
    }
    if (message.inTable()) {
      interrupt
          .message()
          .ifPresent(source -> domain.facet(MsixTables.class).unregister(source.sbdf()));
    }
  }
}
