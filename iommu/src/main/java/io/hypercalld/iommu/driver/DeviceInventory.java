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
import java.util.function.Consumer;

/**
 * Which of the functions that exist the hypervisor has been told of. Confined to the machine
 * thread.
 *
 * @see "xen/drivers/passthrough/pci.c, pci_add_device and pci_remove_device"
 */
public final class DeviceInventory {
  private final VtdDriver driver;
  private final PciTopology topology;
  private Consumer<PciDevice> removal = _ -> {};

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
          return device;
        });
    if (function.isHidden()) {
      driver.devices().transfer(device, DomainId.XEN);
    }
  }

  /** Has somebody told of every function that is about to be forgotten. */
  public void onRemoval(Consumer<PciDevice> observer) {
    removal = observer;
  }

  /** As {@link #add} at boot, when a function that no unit covers goes untranslated. */
  void discover(PciFunction function) {
    if (driver.unitOf(function.sbdf()).isPresent()) {
      add(function.sbdf());
    } else {
      driver.devices().add(new PciDevice(function, Optional.empty()));
    }
  }

  /**
   * A device that is known.
   *
   * @throws Refusal ENODEV
   */
  public PciDevice require(Sbdf sbdf) {
    return driver
        .devices()
        .find(sbdf)
        .orElseThrow(() -> Refusal.of(Errno.ENODEV, "no device %s is known", sbdf));
  }

  /**
   * Takes a function's MSI-X table into the hypervisor's care before its driver comes, or gives it
   * back.
   *
   * @throws Refusal ENODEV unknown, or it has no MSI-X; EBUSY it is so already
   */
  public void prepareMsiX(Sbdf sbdf, boolean prepared) {
    PciDevice device = require(sbdf);
    if (!device.function().msiX()) {
      throw Refusal.of(Errno.ENODEV, "%s has no MSI-X", sbdf);
    }
    if (device.msiXPrepared == prepared) {
      throw Refusal.of(
          Errno.EBUSY, "MSI-X of %s is %s", sbdf, prepared ? "prepared already" : "not prepared");
    }
    device.msiXPrepared = prepared;
  }

  /**
   * Forgets a function, whoever owns it: its requests fault from now on.
   *
   * @throws Refusal ENODEV unknown; EBUSY it has virtual functions, and all of them are broken now
   */
  public void remove(Sbdf sbdf) {
    PciDevice device = require(sbdf);
    List<PciDevice> virtual =
        topology.virtualFunctions(sbdf).stream()
            .flatMap(function -> driver.devices().find(function.sbdf()).stream())
            .toList();
    if (!virtual.isEmpty()) {
      device.broken = true;
      virtual.forEach(function -> function.broken = true);
      throw Refusal.of(Errno.EBUSY, "%s still has %d virtual functions", sbdf, virtual.size());
    }
    removal.accept(device);
    driver.assignment().withdraw(device);
    device.guestAddress = Optional.empty();
    driver.devices().remove(device);
  }
}
