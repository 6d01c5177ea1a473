package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.IoPermissions;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Gives domains interrupts of the machine, and takes them back. Confined to the machine thread.
 *
 * @see "xen/arch/x86/irq.c, map_domain_pirq and unmap_domain_pirq; xen/arch/x86/msi.c"
 */
public final class PirqMapping {
  /** Messages that an MSI capability can be given at once. */
  public static final int MOST_MESSAGES = 32;

  private static final int TABLE_ENTRIES = 2048;

  private final DomainTable domains;
  private final VtdDriver driver;
  private final MachineInterrupts machine;
  private final PirqBinding binding;

  PirqMapping(
      DomainTable domains, VtdDriver driver, MachineInterrupts machine, PirqBinding binding) {
    this.domains = domains;
    this.driver = driver;
    this.machine = machine;
    this.binding = binding;
  }

  /**
   * Gives a domain the interrupt of a pin.
   *
   * @param caller who gives it
   * @param wanted number in the domain; negative for any
   * @return the number in the domain
   * @throws Refusal EINVAL no such pin, the caller does not have it, no such number; EEXIST the
   *     domain has it under another one; ENOSPC no number is free; EPERM the caller may not have it
   */
  public int mapGsi(Domain caller, Domain target, long gsi, int wanted) {
    if (gsi < 0 || gsi >= machine.gsis()) {
      throw Refusal.of(Errno.EINVAL, "%d is none of %d GSIs", gsi, machine.gsis());
    }
    int irq = irqOf(caller, (int) gsi);
    DomainPirqs pirqs = pirqsOf(target);
    int number = chooseForGsi(pirqs, irq, wanted);
    requirePossible(caller, pirqs, irq, number);
    if (isOccupied(pirqs, irq, number)) {
      return number;
    }
    machine.gsi(irq);
    attach(pirqs, irq, number);
    return number;
  }

  private static int irqOf(Domain caller, int gsi) {
    return pirqsOf(caller)
        .find(gsi)
        .map(Pirq::irq)
        .or(() -> caller.isHardwareDomain() ? Optional.of(gsi) : Optional.empty())
        .orElseThrow(() -> Refusal.of(Errno.EINVAL, "%s does not have GSI %d", caller.id(), gsi));
  }

  private static int chooseForGsi(DomainPirqs pirqs, int irq, int wanted) {
    OptionalInt current = pirqs.numberOf(irq);
    if (wanted < 0) {
      return current.orElseGet(pirqs::freeForGsi);
    }
    if (current.isPresent() && current.getAsInt() != wanted) {
      throw Refusal.of(
          Errno.EEXIST, "interrupt %d is mapped as %d already", irq, current.getAsInt());
    }
    return wanted;
  }

  private void requirePossible(Domain caller, DomainPirqs pirqs, int irq, int number) {
    caller.ioPermissions().demand(IoPermissions.Kind.INTERRUPTS, NumberRange.of(irq, 1));
    if (number < 0 || number >= pirqs.count() || irq <= 0 || irq >= machine.limit()) {
      throw Refusal.of(
          Errno.EINVAL, "interrupt %d cannot be number %d of %s", irq, number, pirqs.domain().id());
    }
  }

  /** Xen warns of a number that stands for something else, leaves it, and reports success. */
  private static boolean isOccupied(DomainPirqs pirqs, int irq, int number) {
    return pirqs.find(number).isPresent() || pirqs.numberOf(irq).isPresent();
  }

  private static void attach(DomainPirqs pirqs, int irq, int number) {
    pirqs.put(new Pirq(number, irq, Optional.empty()));
    pirqs.domain().ioPermissions().grant(IoPermissions.Kind.INTERRUPTS, NumberRange.of(irq, 1));
  }

  /**
   * Gives a domain messages of a function that it owns.
   *
   * @throws Refusal EDOM not 1 to 32 messages; EOPNOTSUPP several, and interrupts are not remapped;
   *     EINVAL no such interrupt or number; ENOSPC no interrupt, vector or number is free; EPERM;
   *     ENODEV the function is not the domain's, or sends no such messages; ENFILE it sends fewer
   *     at once; EBUSY the interrupt is in use; EEXIST the entry is enabled already; EFAULT no
   *     remapping entry is free
   */
  public MessageRequest.Mapped mapMessages(Domain caller, Domain target, MessageRequest wanted) {
    MessageRequest request = wanted.withBlock(blockFor(wanted.block()));
    DomainPirqs pirqs = pirqsOf(target);
    return Transaction.run(
        steps -> {
          MachineInterrupt first = interruptFor(steps, request);
          int number = request.pirq() < 0 ? pirqs.free(request.block()) : request.pirq();
          grantTo(steps, caller, first.number());
          requirePossible(caller, pirqs, first.number(), number);
          if (pirqs.find(number).isPresent()) {
            throw Refusal.of(
                Errno.EEXIST, "number %d of %s is another interrupt", number, target.id());
          }
          enable(steps, first, ownedDevice(target, request.sbdf()), request);
          attachBlock(steps, pirqs, first, number, request);
          return new MessageRequest.Mapped(number, request.block());
        });
  }

  /** A function can be given a power of two of messages only. */
  private int blockFor(int wanted) {
    if (wanted < 1 || wanted > MOST_MESSAGES) {
      throw Refusal.of(Errno.EDOM, "%d messages, 1 to %d go together", wanted, MOST_MESSAGES);
    }
    if (wanted > 1 && !driver.interruptRemapping().on()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "without remapping messages do not go together");
    }
    return wanted == 1 ? 1 : Integer.highestOneBit(wanted - 1) << 1;
  }

  private MachineInterrupt interruptFor(Transaction steps, MessageRequest request) {
    if (request.irq() < 0) {
      return machine.create(steps);
    }
    if (request.irq() < machine.gsis() || request.irq() >= machine.limit()) {
      throw Refusal.of(Errno.EINVAL, "interrupt %d is none for messages", request.irq());
    }
    return machine.createAt(steps, request.irq());
  }

  private static void grantTo(Transaction steps, Domain caller, int irq) {
    NumberRange one = NumberRange.of(irq, 1);
    if (!caller.ioPermissions().permits(IoPermissions.Kind.INTERRUPTS, one)) {
      caller.ioPermissions().grant(IoPermissions.Kind.INTERRUPTS, one);
      steps.onFailure(() -> caller.ioPermissions().revoke(IoPermissions.Kind.INTERRUPTS, one));
    }
  }

  private PciDevice ownedDevice(Domain owner, Sbdf sbdf) {
    return driver
        .devices()
        .find(sbdf)
        .filter(device -> device.owner().equals(owner.id()))
        .orElseThrow(() -> Refusal.of(Errno.ENODEV, "%s does not own %s", owner.id(), sbdf));
  }

  private void enable(
      Transaction steps, MachineInterrupt first, PciDevice device, MessageRequest request) {
    requireCapability(device, request);
    boolean enabled =
        machine.messagesOf(device.sbdf()).stream()
            .flatMap(other -> other.message().stream())
            .anyMatch(other -> other.msiX() == request.msiX() && other.entry() == request.entry());
    if (enabled) {
      throw Refusal.of(
          Errno.EEXIST, "message %d of %s is enabled already", request.entry(), device.sbdf());
    }
    machine.program(steps, first, plan(device, request, request.entry(), OptionalInt.empty()));
  }

  private static MessagePlan plan(
      PciDevice device, MessageRequest request, int entry, OptionalInt base) {
    return new MessagePlan(device, request.msiX(), entry, request.block(), base);
  }

  private static void requireCapability(PciDevice device, MessageRequest request) {
    if (request.msiX()) {
      if (!device.function().msiX()) {
        throw Refusal.of(Errno.ENODEV, "%s has no MSI-X capability", device.sbdf());
      }
      if (request.entry() < 0 || request.entry() >= TABLE_ENTRIES) {
        throw Refusal.of(Errno.EINVAL, "%s has %d MSI-X entries", device.sbdf(), TABLE_ENTRIES);
      }
      return;
    }
    int most = device.function().kind() == PciKind.PCIE_ENDPOINT ? MOST_MESSAGES : 1;
    if (request.block() > most) {
      throw Refusal.of(Errno.ENFILE, "%s sends %d message at most", device.sbdf(), most)
          .returning(most);
    }
  }

  private void attachBlock(
      Transaction steps,
      DomainPirqs pirqs,
      MachineInterrupt first,
      int number,
      MessageRequest request) {
    List<MachineInterrupt> block = new ArrayList<>(List.of(first));
    PciDevice device = ownedDevice(pirqs.domain(), request.sbdf());
    OptionalInt base = first.message().orElseThrow().index();
    for (int entry = 1; entry < request.block(); entry++) {
      MachineInterrupt next = machine.create(steps);
      machine.program(steps, next, plan(device, request, entry, base));
      block.add(next);
    }
    for (int offset = 0; offset < block.size(); offset++) {
      attach(pirqs, block.get(offset).number(), number + offset);
    }
  }

  /**
   * Takes an interrupt back from a domain, with the block that it is the first of.
   *
   * @throws Refusal EINVAL the domain has none of that number; EBUSY it is in a block and not the
   *     first of it
   */
  public void unmap(Domain target, long number) {
    DomainPirqs pirqs = pirqsOf(target);
    Pirq pirq =
        pirqs
            .find(number)
            .orElseThrow(
                () -> Refusal.of(Errno.EINVAL, "%s has no interrupt %d", target.id(), number));
    Optional<MsiSource> message = machine.find(pirq.irq()).flatMap(MachineInterrupt::message);
    if (message.filter(source -> !source.msiX() && source.entry() > 0).isPresent()) {
      throw Refusal.of(Errno.EBUSY, "interrupt %d belongs to a block", number);
    }
    int block = message.filter(source -> !source.msiX()).map(MsiSource::block).orElse(1);
    for (int offset = block - 1; offset >= 0; offset--) {
      pirqs.find(number + offset).ifPresent(each -> detach(pirqs, each));
    }
  }

  /** Takes back the first interrupt that a domain has. */
  void unmapFirst(DomainPirqs pirqs) {
    unmap(pirqs.domain(), pirqs.all().iterator().next().number());
  }

  /**
   * Takes back every message of a function, whoever has it: the function goes.
   *
   * @see "xen/arch/x86/msi.c, pci_cleanup_msi"
   */
  void forget(Sbdf sbdf) {
    for (MachineInterrupt interrupt : machine.messagesOf(sbdf)) {
      domains.all().stream()
          .flatMap(domain -> domain.findFacet(DomainPirqs.class).stream())
          .forEach(pirqs -> pirqs.findByIrq(interrupt.number()).ifPresent(p -> detach(pirqs, p)));
    }
  }

  private void detach(DomainPirqs pirqs, Pirq pirq) {
    binding.drop(pirqs, pirq);
    pirqs.remove(pirq.number());
    pirqs
        .domain()
        .ioPermissions()
        .revoke(IoPermissions.Kind.INTERRUPTS, NumberRange.of(pirq.irq(), 1));
    machine.find(pirq.irq()).filter(one -> one.message().isPresent()).ifPresent(machine::destroy);
  }

  static DomainPirqs pirqsOf(Domain domain) {
    return domain.facet(DomainPirqs.class);
  }
}
