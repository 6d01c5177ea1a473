package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnit;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;
import java.util.Optional;

/**
 * A virtual IOMMU as it is told. Immutable.
 *
 * @param api the generation of the hypercall that the domain's toolstack speaks
 * @param translating GSTS.TES
 * @param remappingInterrupts GSTS.IRES
 * @param devices the domain's physical devices and how their requests are translated
 */
record ViommuView(
    NewViommu.Type type,
    Word base,
    Word cap,
    Word ecap,
    String api,
    boolean intremap,
    boolean l2,
    boolean l1,
    boolean cachingMode,
    boolean translating,
    boolean remappingInterrupts,
    List<DeviceMode> devices) {
  /** How one device's requests are translated. */
  record DeviceMode(Sbdf sbdf, Optional<Sbdf> guestBdf, String mode) {}

  static ViommuView of(Machine machine, Domain domain, VirtualIommu iommu) {
    VirtualUnit unit = iommu.requireUnit();
    VirtualUnitSettings settings = unit.settings();
    int status = unit.silicon().read32(Register.GSTS.offset());
    return new ViommuView(
        NewViommu.Type.INTEL_VTD,
        settings.base(),
        new Word(unit.silicon().capabilities().cap()),
        new Word(unit.silicon().capabilities().ecap()),
        iommu.api().toString(),
        settings.intremap(),
        settings.l2(),
        false,
        settings.cachingMode(),
        GlobalCommand.TE.isSet(status),
        GlobalCommand.IRE.isSet(status),
        machine.driver().devices().ownedBy(domain.id()).stream().map(ViommuView::mode).toList());
  }

  private static DeviceMode mode(PciDevice device) {
    return new DeviceMode(device.sbdf(), device.guestAddress(), "default");
  }
}
