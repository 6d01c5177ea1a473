package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.GuestMemory;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.kernel.GuestKernel;
import io.hypercalld.core.kernel.KernelBoot;
import io.hypercalld.core.kernel.KernelSettings;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.iommu.driver.PciDevice;
import java.util.List;

/** The kernels of a machine's domains. */
final class GuestKernels {
  private GuestKernels() {}

  /** That of a domain, booted where none runs in the address mode that the domain has. */
  static RunningKernel of(Machine machine, Domain domain) {
    return domain
        .facet(GuestKernel.class)
        .running()
        .filter(kernel -> kernel.mode() == domain.facet(DomainDma.class).mode())
        .orElseGet(() -> boot(machine, domain, BootOptions.USUAL));
  }

  /** A domain's way to the hypervisor. */
  private record Calls(Machine machine, DomainId caller) implements GuestCalls {
    @Override
    public Outcome call(Hypercall arguments) {
      return machine.call(caller, arguments);
    }

    @Override
    public List<Outcome> callAll(List<? extends Hypercall> calls) {
      return machine.hypercalls().callAll(caller, calls, false);
    }
  }

  static RunningKernel boot(Machine machine, Domain domain, BootOptions options) {
    KernelSettings usual =
        KernelSettings.usual(
            machine.hypervisor().memory().map().ramBytes(),
            (int) domain.reservation().totalPages());
    KernelSettings settings =
        new KernelSettings(
            options.slabs().orElse(usual.slabs()),
            options.dmaBits().orElse(usual.dmaBits()),
            options.batch());
    return new KernelBoot(domain, ports(machine, domain)).boot(settings);
  }

  private static KernelBoot.Ports ports(Machine machine, Domain domain) {
    GuestMemory memory = machine.hypervisor().guestMemory();
    GuestCalls xen = new Calls(machine, domain.id());
    return new KernelBoot.Ports(
        xen,
        (from, to, length) ->
            memory.write(domain, to.value(), memory.read(domain, from.value(), length)),
        new ContextCalls(xen),
        machine.hypervisor().frames());
  }

  /**
   * Refuses a device that is not the domain's.
   *
   * @throws Refusal ENODEV
   */
  static PciDevice requireDevice(Machine machine, Domain domain, KernelCall.Device device) {
    return machine
        .driver()
        .devices()
        .find(device.sbdf())
        .filter(known -> known.owner().equals(domain.id()))
        .orElseThrow(() -> Refusal.of(Errno.ENODEV, "%s has no %s", domain.id(), device.sbdf()));
  }
}
