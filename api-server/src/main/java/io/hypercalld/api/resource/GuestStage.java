package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.interrupt.DomainPirqs;
import io.hypercalld.iommu.interrupt.GuestBinding;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.InterruptExplanation;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a domain's own unit makes of a physical device's interrupt that the machine's lets through.
 * Immutable.
 *
 * @param written as the domain wrote it
 */
record GuestStage(DomainId domain, GuestBinding.Message written, InterruptExplanation explanation) {
  /** The stage behind what a device sends; empty where no domain's unit remaps it. */
  static Optional<GuestStage> of(Machine machine, Sbdf device, RemappableMessage sent) {
    OptionalInt seen =
        machine
            .driver()
            .devices()
            .find(device)
            .flatMap(PciDevice::guestAddress)
            .map(place -> OptionalInt.of(place.sourceId().value()))
            .orElse(OptionalInt.empty());
    return machine.interrupts().machine().messagesOf(device).stream()
        .filter(one -> one.message().filter(own -> own.message().equals(sent)).isPresent())
        .flatMap(
            one ->
                one.guests().stream()
                    .map(guest -> machine.hypervisor().domains().byId(guest))
                    .flatMap(guest -> of(guest, one, seen).stream()))
        .findFirst();
  }

  private static Optional<GuestStage> of(
      Domain guest, MachineInterrupt interrupt, OptionalInt requester) {
    Optional<VirtualIommu> iommu =
        guest.findFacet(VirtualIommu.class).filter(own -> own.unit().isPresent());
    return guest.facet(DomainPirqs.class).all().stream()
        .filter(pirq -> pirq.irq() == interrupt.number())
        .flatMap(pirq -> pirq.binding().stream())
        .filter(GuestBinding.Message.class::isInstance)
        .map(GuestBinding.Message.class::cast)
        .flatMap(
            message ->
                iommu.stream()
                    .flatMap(
                        own ->
                            own
                                .interrupts()
                                .explain(requester, message.address(), message.data())
                                .stream())
                    .map(explanation -> new GuestStage(guest.id(), message, explanation)))
        .findFirst();
  }

  /** Where it goes on from the machine's unit. */
  String entrance() {
    return "%s's own unit, by guest-physical addresses: the guest wrote 0x%x to %s"
        .formatted(domain, written.data(), written.address());
  }
}
