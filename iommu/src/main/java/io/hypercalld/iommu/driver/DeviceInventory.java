package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/**
 * Which of the functions that exist the hypervisor has been told of. Confined to the machine
 * thread.
 *
 * @see "xen/drivers/passthrough/pci.c, pci_add_device and pci_remove_device"
 */
public final class DeviceInventory {
  private final VtdDriver driver;
  private final PciTopology topology;

  DeviceInventory(VtdDriver driver, PciTopology topology) {
    this.driver = driver;
    this.topology = topology;
  }

  /**
   * Gives a function that is new to the hypervisor to the hardware domain; no effect on one that is
   * known.
   *
   * @throws Refusal ENODEV the machine has no such function; EBUSY, ENOMEM, EIO it cannot be mapped
   */
  public void add(Sbdf sbdf) {
    if (driver.devices().find(sbdf).isPresent()) {
      return;
    }
    PciFunction function = topology.require(sbdf);
    PciDevice device = new PciDevice(function, driver.unitOf(sbdf));
    Transaction.run(
        steps -> {
          driver.devices().add(device);
          steps.onFailure(() -> driver.devices().remove(device));
          driver.contexts().pointAt(steps, device, DomainId.DOM0);
          if (function.isHidden()) {
            driver.devices().transfer(device, DomainId.XEN);
          }
          return device;
        });
  }

  /**
   * Forgets a function, whoever owns it: its requests fault from now on.
   *
   * @throws Refusal ENODEV unknown; EBUSY it has virtual functions, and all of them are broken now
   */
  public void remove(Sbdf sbdf) {
    PciDevice device =
        driver
            .devices()
            .find(sbdf)
            .orElseThrow(() -> Refusal.of(Errno.ENODEV, "no device %s is known", sbdf));
    List<PciDevice> virtual =
        topology.virtualFunctions(sbdf).stream()
            .flatMap(function -> driver.devices().find(function.sbdf()).stream())
            .toList();
    if (!virtual.isEmpty()) {
      device.broken = true;
      virtual.forEach(function -> function.broken = true);
      throw Refusal.of(Errno.EBUSY, "%s still has %d virtual functions", sbdf, virtual.size());
    }
    driver.assignment().withdraw(device);
    device.guestAddress = Optional.empty();
    driver.devices().remove(device);
  }
}
