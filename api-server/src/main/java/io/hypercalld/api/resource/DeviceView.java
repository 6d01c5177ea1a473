package io.hypercalld.api.resource;

import io.hypercalld.api.json.MemberName;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.vtd.ContextEntry;
import java.util.List;
import java.util.Optional;

/**
 * A PCI function as it is told. Immutable.
 *
 * @param iommu the unit that covers it
 * @param owner raw domain id
 * @param group named by the address of its topmost upstream bridge, or its own
 * @param domainId the id that its context entry carries; empty where that is not present
 * @param guestBdf where its guest sees it
 */
record DeviceView(
    Sbdf sbdf,
    String vendorId,
    String deviceId,
    @MemberName("class") String classCode,
    String description,
    Optional<Integer> iommu,
    int owner,
    PciDevice.State state,
    Sbdf group,
    Optional<Sbdf> physicalFunction,
    int virtualFunctions,
    List<SourceId> requesterIds,
    List<Region> reservedRegions,
    Optional<Integer> domainId,
    Optional<Sbdf> guestBdf,
    boolean busMaster,
    boolean keepsTranslations,
    Faults faults) {

  /**
   * Faults of its requests, and how many of them count towards a storm, at 10 of which it is
   * stopped.
   */
  record Faults(long handled, int storm) {}

  /** Memory that it must always reach; {@code limit} is the last byte. */
  record Region(Word base, Word limit) {
    static Region of(ReservedRegion region) {
      return new Region(new Word(region.base()), new Word(region.limit()));
    }
  }

  static DeviceView of(Machine machine, PciDevice device) {
    PciFunction function = device.function();
    Sbdf sbdf = device.sbdf();
    return new DeviceView(
        sbdf,
        "0x%04x".formatted(function.identity().vendorId()),
        "0x%04x".formatted(function.identity().deviceId()),
        "0x%06x".formatted(function.identity().classCode()),
        function.identity().description(),
        device.unit().map(UnitDriver::index),
        device.owner().value(),
        device.state(),
        machine.topology().group(sbdf),
        function.physicalFunction(),
        function.numVfs(),
        machine.topology().requesterIds(sbdf),
        machine.driver().reservedRegionsOf(sbdf).stream().map(Region::of).toList(),
        device
            .unit()
            .map(unit -> unit.contextEntry(sbdf.sourceId()))
            .filter(ContextEntry::isPresent)
            .map(ContextEntry::domainId),
        device.guestAddress(),
        machine.topology().find(sbdf).filter(PciFunction::busMaster).isPresent(),
        device.keepsTranslations(),
        new Faults(machine.faults().faultsOf(sbdf), device.faultRate().count()));
  }
}
