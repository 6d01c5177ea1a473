package io.hypercalld.api.machine;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.Sbdf;

/**
 * Somebody plugs a function in, which the hypervisor does not hear of before {@code
 * pci_device_add}.
 *
 * <p>Refused with EEXIST where there is one, with EBUSY where a bridge's buses are somebody's, and
 * with EINVAL where it can have no such buses.
 */
public record PlugFunction(PciFunction function) implements MachineCommand<PciFunction> {
  @Override
  public PciFunction execute(Machine machine) {
    machine.topology().plug(function);
    return function;
  }

  /**
   * The hypervisor may not know a function whose address changes or goes: its entries would be
   * somebody else's.
   *
   * @throws Refusal EBUSY
   */
  static void requireUnknown(Machine machine, Sbdf sbdf) {
    if (machine.driver().devices().find(sbdf).isPresent()) {
      throw Refusal.of(Errno.EBUSY, "the hypervisor has %s; pci_device_remove comes first", sbdf);
    }
  }

  /** Somebody pulls a function, and it takes those behind it along: there may be none. */
  public record Unplug(Sbdf sbdf) implements MachineCommand<PciFunction> {
    @Override
    public PciFunction execute(Machine machine) {
      requireUnknown(machine, sbdf);
      if (!machine.topology().behind(sbdf).isEmpty()) {
        throw Refusal.of(Errno.EBUSY, "there are functions behind %s", sbdf);
      }
      return machine.topology().remove(sbdf);
    }
  }

  /** Dom0 gives the buses behind a bridge other numbers. */
  public record Renumber(Sbdf sbdf, BusRange buses) implements MachineCommand<PciFunction> {
    @Override
    public PciFunction execute(Machine machine) {
      machine.topology().behind(sbdf).forEach(function -> requireUnknown(machine, function.sbdf()));
      machine.topology().renumber(sbdf, buses);
      return machine.topology().require(sbdf);
    }
  }
}
