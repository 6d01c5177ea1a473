package io.hypercalld.api.machine;

import io.hypercalld.api.driver.DriverHost;
import io.hypercalld.api.driver.DriverReport;
import io.hypercalld.api.driver.DriverScript;
import io.hypercalld.api.driver.Drivers;
import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Optional;

/**
 * A driver in a domain does its work: with the domain's kernel, its own device and, where it is a
 * back end, another domain.
 *
 * <p>Refused with ESRCH where a domain does not exist; ENODEV for a device that the domain has not;
 * as {@link Drivers#run}.
 */
public record RunDriver(DomainId domain, DriverScript script)
    implements MachineCommand<DriverReport> {
  @Override
  public DriverReport execute(Machine machine) {
    Domain owner = machine.hypervisor().domains().byId(domain);
    script.frontend().ifPresent(machine.hypervisor().domains()::byId);
    script
        .device()
        .ifPresent(
            sbdf ->
                GuestKernels.requireDevice(
                    machine, owner, new KernelCall.Device(sbdf, script.maskBits())));
    return Drivers.run(new Host(machine), owner, script);
  }

  /** The machine as drivers meet it. */
  private record Host(Machine machine) implements DriverHost {
    @Override
    public Hypervisor hypervisor() {
      return machine.hypervisor();
    }

    @Override
    public RunningKernel kernel(Domain domain) {
      return GuestKernels.of(machine, domain);
    }

    @Override
    public Outcome call(DomainId caller, Hypercall arguments) {
      return machine.call(caller, arguments);
    }

    @Override
    public Moved dma(Sbdf device, long bus, int length, Optional<HexBytes> data) {
      DeviceDma.Result result = new DeviceDma(device, new Word(bus), length, data).execute(machine);
      return new Moved(result.outcome(), result.data());
    }
  }
}
