package io.hypercalld.api.machine;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.iommu.acpi.AtsPorts;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.InterruptRemapping;
import io.hypercalld.iommu.driver.RemappingHardware;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.fault.FaultHandler;
import io.hypercalld.iommu.interrupt.Chipset;
import io.hypercalld.iommu.interrupt.HpetSource;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.interrupt.IoApicSource;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.platform.PlatformUnit;
import io.hypercalld.iommu.unit.MessageSink;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.virtual.VirtualIommus;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.ioreq.DeviceModels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The parts of a machine, connected and switched on. Shallowly immutable.
 *
 * @param units in the order of their indexes
 */
record Assembly(
    Platform platform,
    Hypervisor hypervisor,
    List<RemappingUnit> units,
    PciTopology topology,
    UnitScopes scopes,
    VtdDriver driver,
    RootComplex rootComplex,
    Interrupts interrupts,
    FaultHandler faults,
    DeviceModels deviceModels,
    VirtualIommus virtualIommus,
    SyncMeter syncs) {
  private static final int DOM0_VCPUS = 4;

  /**
   * Puts a machine together and boots the hypervisor on it.
   *
   * @throws io.hypercalld.core.errno.Refusal where the platform cannot carry it
   */
  static Assembly of(Platform platform, DriverPolicies policies) {
    Hypervisor hypervisor = new Hypervisor(settings(platform));
    Processors processors = new Processors(platform.interrupts().processors());
    List<RemappingUnit> units = units(platform, hypervisor, processors::deliver);
    PciTopology topology = platform.topology();
    UnitScopes scopes = platform.unitScopes(topology);
    VtdDriver driver =
        new VtdDriver(
            hypervisor,
            new RemappingHardware(
                List.copyOf(units),
                topology,
                scopes,
                platform.reservedRegions(),
                permit(platform),
                new AtsRegisters(new AtsPorts(platform.atsrs(), topology), scopes, units)),
            policies);
    Interrupts interrupts =
        new Interrupts(hypervisor, driver, topology, processors, chipset(platform, scopes));
    FaultHandler faults =
        new FaultHandler(
            hypervisor, driver, topology, unit -> platform.units().get(unit.index()).segment());
    interrupts.onFaultEvent(faults::faultEvent);
    VirtualIommus virtualIommus = new VirtualIommus(hypervisor, driver);
    SyncMeter syncs = new SyncMeter();
    virtualIommus.watchSyncs(syncs);
    virtualIommus.onRemapping(interrupts.binding()::rederive);
    faults.tell(
        fault ->
            driver
                .devices()
                .find(fault.sbdf())
                .ifPresent(device -> virtualIommus.faulted(device, fault.taken().record())));
    Assembly assembly =
        new Assembly(
            platform,
            hypervisor,
            units,
            topology,
            scopes,
            driver,
            new RootComplex(hypervisor.memory(), processors::deliver),
            interrupts,
            faults,
            new DeviceModels(hypervisor),
            virtualIommus,
            syncs);
    hypervisor.bootDom0();
    driver.start();
    return assembly;
  }

  private static HypervisorSettings settings(Platform platform) {
    return new HypervisorSettings(
        platform.memoryMap(),
        platform.memory().dom0Bytes(),
        DOM0_VCPUS,
        !platform.units().isEmpty(),
        canSnoop(platform),
        platform.hostAddressWidth(),
        platform.dom0Mode());
  }

  private static boolean canSnoop(Platform platform) {
    return platform.units().stream()
        .allMatch(unit -> new Capabilities(unit.cap(), unit.ecap()).snoopControl());
  }

  private static InterruptRemapping.Permit permit(Platform platform) {
    return new InterruptRemapping.Permit(
        platform.interrupts().remapping(), platform.interrupts().x2apic());
  }

  private static Chipset chipset(Platform platform, UnitScopes scopes) {
    List<IoApicSource> ioApics = new ArrayList<>();
    List<HpetSource> hpets = new ArrayList<>();
    for (int iommu = 0; iommu < platform.units().size(); iommu++) {
      Drhd unit = platform.units().get(iommu).definition();
      for (DeviceScope scope : unit.scopes()) {
        Optional<SourceId> requester = scopes.resolve(unit.segment(), scope).map(Sbdf::sourceId);
        int id = scope.enumerationId();
        if (requester.isPresent() && scope.type() == DeviceScope.Type.IOAPIC) {
          ioApics.add(new IoApicSource(iommu, id, requester.get()));
        } else if (requester.isPresent() && scope.type() == DeviceScope.Type.MSI_HPET) {
          hpets.add(new HpetSource(iommu, id, requester.get()));
        }
      }
    }
    return new Chipset(ioApics, hpets);
  }

  private static List<RemappingUnit> units(
      Platform platform, Hypervisor hypervisor, MessageSink interrupts) {
    List<RemappingUnit> units = new ArrayList<>();
    for (PlatformUnit unit : platform.units()) {
      UnitSettings settings =
          new UnitSettings(
              unit.version(),
              new Capabilities(unit.cap(), unit.ecap()),
              platform.hostAddressWidth(),
              Math.toIntExact(unit.windowBytes()),
              UnitSettings.CacheSizes.LARGE,
              unit.habits());
      units.add(
          new RemappingUnit(
              settings,
              hypervisor.memory(),
              interrupts,
              new InvalidationNotices(units.size(), hypervisor.notices())));
    }
    return List.copyOf(units);
  }
}
