package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.Interrupt;
import io.hypercalld.core.interrupt.InterruptRouter.Route;
import io.hypercalld.iommu.driver.DeviceTable;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The way of a physical device's message into a domain: through the unit that the domain has of its
 * own, where it has switched that on. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/vmsi.c, vmsi_deliver_pirq; spec/documents.md S1-D13"
 */
final class GuestDelivery {
  private final DeviceTable devices;

  GuestDelivery(DeviceTable devices) {
    this.devices = devices;
  }

  /** What a message would come to in the domain; empty where nobody would take it. */
  Optional<Interrupt> foresee(Domain domain, MachineInterrupt from, GuestBinding.Message message) {
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    Word address = message.address();
    return switch (interrupts.router().foresee(requester(from), address, message.data())) {
      case Route.Direct() -> interrupts.read(address, message.data());
      case Route.Remapped(Interrupt remapped) -> Optional.of(remapped);
      case Route.Blocked() -> Optional.empty();
    };
  }

  /** The vector that it would have in the domain. */
  OptionalInt vectorOf(Domain domain, MachineInterrupt from, GuestBinding.Message message) {
    return foresee(domain, from, message).stream().mapToInt(Interrupt::vector).findFirst();
  }

  /** Delivers it; what the domain's unit blocks it records for the domain. */
  List<Integer> deliver(Domain domain, MachineInterrupt from, GuestBinding.Message message) {
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    return interrupts
        .router()
        .message(requester(from), message.address(), message.data())
        .orElseGet(
            () ->
                interrupts
                    .read(message.address(), message.data())
                    .map(meant -> inject(interrupts, meant))
                    .orElse(List.of()));
  }

  /** Nobody hears of it that a guest's own message cannot be delivered. */
  private static List<Integer> inject(DomainInterrupts interrupts, Interrupt interrupt) {
    try {
      return interrupts.inject(interrupt);
    } catch (Refusal undeliverable) {
      return List.of();
    }
  }

  /** The source-id under which the domain sees the function. */
  private OptionalInt requester(MachineInterrupt from) {
    return from.message()
        .flatMap(source -> devices.find(source.sbdf()))
        .flatMap(PciDevice::guestAddress)
        .map(Sbdf::sourceId)
        .map(seen -> OptionalInt.of(seen.value()))
        .orElse(OptionalInt.empty());
  }
}
