package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.iommu.driver.FaultRegisters;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the hypervisor does with an interrupt that a processor takes. Confined to the machine
 * thread.
 *
 * @see "xen/arch/x86/irq.c, do_IRQ; xen/drivers/passthrough/x86/hvm.c, hvm_dirq_assist"
 */
final class InterruptDispatch implements Processors.Vectors {
  private final DomainTable domains;
  private final MachineInterrupts machine;
  private final GuestDelivery delivery;
  private Runnable faultEvent = () -> {};

  InterruptDispatch(DomainTable domains, MachineInterrupts machine, GuestDelivery delivery) {
    this.delivery = delivery;
    this.domains = domains;
    this.machine = machine;
  }

  /** Who handles units' fault events. */
  void onFaultEvent(Runnable handler) {
    faultEvent = handler;
  }

  @Override
  public List<GuestArrival> take(ProcessorVector at) {
    return switch (at.vector()) {
      case FaultRegisters.VECTOR -> {
        faultEvent.run();
        yield List.of();
      }
      case VirtualProcessors.POSTED_VECTOR -> synchronise(at.processor());
      case VirtualProcessors.WAKEUP_VECTOR -> wake(at.processor());
      default -> machine.at(at).map(this::passOn).orElse(List.of());
    };
  }

  private List<GuestArrival> passOn(MachineInterrupt interrupt) {
    List<GuestArrival> arrivals = new ArrayList<>();
    for (DomainId guest : interrupt.guests()) {
      domains.find(guest).flatMap(domain -> arrival(domain, interrupt)).ifPresent(arrivals::add);
    }
    return arrivals;
  }

  private Optional<GuestArrival> arrival(Domain domain, MachineInterrupt interrupt) {
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    OptionalInt number = pirqs.numberOf(interrupt.number());
    if (number.isEmpty()) {
      return Optional.empty();
    }
    return pirqs
        .find(number.getAsInt())
        .flatMap(Pirq::binding)
        .map(
            binding ->
                switch (binding) {
                  case GuestBinding.Message message -> message(domain, interrupt, message);
                  case GuestBinding.Wires wires -> wires(domain, wires);
                });
  }

  private GuestArrival message(Domain domain, MachineInterrupt from, GuestBinding.Message message) {
    OptionalInt vector = delivery.vectorOf(domain, from, message);
    return new GuestArrival(domain.id(), delivery.deliver(domain, from, message), vector);
  }

  private static GuestArrival wires(Domain domain, GuestBinding.Wires wires) {
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    wires.lines().forEach(line -> interrupts.lines().setIntx(line.line(), true));
    return new GuestArrival(domain.id(), List.of(), OptionalInt.empty());
  }

  /**
   * A pin's interrupt was ended by the domain: the machine's interrupts behind it may come again.
   */
  static void ended(Domain domain, int gsi) {
    DomainInterrupts interrupts = domain.facet(DomainInterrupts.class);
    for (Pirq pirq : PirqMapping.pirqsOf(domain).all()) {
      if (pirq.binding().orElse(null) instanceof GuestBinding.Wires wires) {
        wires.lines().stream()
            .filter(line -> line.line().gsi() == gsi)
            .forEach(line -> interrupts.lines().setIntx(line.line(), false));
      }
    }
  }

  private List<GuestArrival> synchronise(int processor) {
    List<GuestArrival> arrivals = new ArrayList<>();
    forEachThere(
        processor,
        VirtualProcessor.State.RUNNING,
        (vcpus, vcpu) ->
            vcpus
                .synchronise(vcpu)
                .forEach(
                    vector ->
                        arrivals.add(
                            new GuestArrival(
                                vcpus.domain().id(), List.of(vcpu), OptionalInt.of(vector)))));
    return arrivals;
  }

  private List<GuestArrival> wake(int processor) {
    forEachThere(processor, VirtualProcessor.State.BLOCKED, VirtualProcessors::wake);
    return List.of();
  }

  /** What to do with a vCPU. */
  private interface Action {
    void on(VirtualProcessors vcpus, int vcpu);
  }

  /** Each vCPU in a state on a processor that was notified. */
  private void forEachThere(int processor, VirtualProcessor.State state, Action action) {
    for (Domain domain : domains.all()) {
      Optional<VirtualProcessors> vcpus = domain.findFacet(VirtualProcessors.class);
      for (int vcpu = 0; vcpus.isPresent() && vcpu < domain.run().vcpus(); vcpu++) {
        VirtualProcessor place = vcpus.get().place(vcpu);
        boolean there = place.processor() == processor && place.state() == state;
        if (there && vcpus.get().isNotified(vcpu)) {
          action.on(vcpus.get(), vcpu);
        }
      }
    }
  }
}
