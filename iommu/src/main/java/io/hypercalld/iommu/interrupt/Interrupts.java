package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciTopology;
import java.util.Optional;

/**
 * The hypervisor's interrupts as a whole. Confined to the machine thread.
 *
 * <p>To be made after the driver and before dom0, as every domain gets its share.
 */
public final class Interrupts implements Digestible {
  private final Hypervisor hypervisor;
  private final VtdDriver driver;
  private final Processors processors;
  private final MachineInterrupts machine;
  private final Posting posting;
  private final PirqBinding binding;
  private final PirqMapping mapping;
  private final InterruptDispatch dispatch;
  private final Hotplug hotplug;
  private final HpetTimers timers;
  private final OwnPirqs ownPirqs = new OwnPirqs();

  /**
   * Takes over the processors' interrupts, and has each domain from now on given numbers for its
   * own.
   */
  public Interrupts(
      Hypervisor hypervisor,
      VtdDriver driver,
      PciTopology topology,
      Processors processors,
      Chipset chipset) {
    this.hypervisor = hypervisor;
    this.driver = driver;
    this.processors = processors;
    this.machine = new MachineInterrupts(driver, topology, processors, chipset);
    this.timers = new HpetTimers(chipset.hpets(), machine, processors);
    this.posting = new Posting(driver, topology, machine);
    GuestDelivery delivery = new GuestDelivery(driver.devices());
    this.binding = new PirqBinding(machine, posting, delivery);
    this.mapping = new PirqMapping(hypervisor.domains(), driver, machine, binding);
    driver.inventory().onRemoval(device -> mapping.forget(device.sbdf()));
    this.dispatch = new InterruptDispatch(hypervisor.domains(), machine, delivery);
    this.hotplug = new Hotplug(hypervisor.domains(), processors, machine);
    processors.handledBy(dispatch);
    if (driver.interruptRemapping().extended()) {
      processors.extend();
    }
    hypervisor.domains().addFacet(domain -> Optional.of(pirqs(domain)));
    hypervisor.domains().addFacet(domain -> Optional.of(vcpus(domain)));
    hypervisor.domains().addFacet(_ -> Optional.of(new MsixTables()));
    hypervisor.guestAccess().answerFirst(new MsixAccess(machine));
  }

  private DomainPirqs pirqs(Domain domain) {
    domain
        .findFacet(DomainInterrupts.class)
        .ifPresent(
            interrupts -> interrupts.ioApic().onEnd(gsi -> InterruptDispatch.ended(domain, gsi)));
    return new DomainPirqs(domain, machine, mapping::unmapFirst);
  }

  private VirtualProcessors vcpus(Domain domain) {
    return new VirtualProcessors(
        domain,
        processors,
        driver.interruptRemapping().extended(),
        new VirtualProcessors.Storage(hypervisor.memory(), hypervisor.allocator()));
  }

  /** Has a handler told of units' fault events. */
  public void onFaultEvent(Runnable handler) {
    dispatch.onFaultEvent(handler);
  }

  public Processors processors() {
    return processors;
  }

  /**
   * Has a vCPU run: its interrupts follow it to its processor.
   *
   * @param processor where it ran last where empty
   * @throws io.hypercalld.core.errno.Refusal ENOENT no such vCPU; EINVAL no such processor, or it
   *     is offline
   */
  public void run(Domain domain, int vcpu, Optional<Integer> processor) {
    domain.facet(VirtualProcessors.class).run(vcpu, processor);
    binding.follow(domain, vcpu);
  }

  /** Domains that have their own interrupts as event channels. */
  public OwnPirqs ownPirqs() {
    return ownPirqs;
  }

  /** Timers of the chipset. */
  public HpetTimers timers() {
    return timers;
  }

  /** Takes processors out of use and back. */
  public Hotplug hotplug() {
    return hotplug;
  }

  public MachineInterrupts machine() {
    return machine;
  }

  public PirqMapping mapping() {
    return mapping;
  }

  public PirqBinding binding() {
    return binding;
  }

  public Posting posting() {
    return posting;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("interrupts").put(processors).put(machine).put(posting.isOn());
  }
}
