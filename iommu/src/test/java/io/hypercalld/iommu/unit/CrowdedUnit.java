package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.UnitVersion;

/**
 * A unit of 65,536 domain-ids with one device in each of so many domains, all of which have been
 * translated for, and device 0 that changes its domain.
 */
final class CrowdedUnit implements AutoCloseable {
  private static final long IOVA = 0x5000;
  private static final Capabilities CAPABILITIES = SimulatedUnit.with(CapabilityFields.ND, 6);
  private static final UnitSettings.CacheSizes CACHES =
      new UnitSettings.CacheSizes(1 << 17, 1 << 16);
  private static final SourceId DEVICE = new SourceId(0);
  private static final int FIRST = 1;

  /** The domain-id that no other device has. */
  private static final int SPARE = 0xffff;

  private final SimulatedUnit it =
      SimulatedUnit.off(
          UnitSettings.of(UnitVersion.V1_0, CAPABILITIES, SimulatedUnit.HOST_ADDRESS_WIDTH)
              .withCaches(CACHES));
  private int domainId = FIRST;

  CrowdedUnit(int domains) {
    it.start();
    it.map(IOVA, 0x9000);
    for (int each = 0; each < domains; each++) {
      SourceId device = new SourceId(each);
      it.context(device, entry(each == 0 ? domainId : each));
      it.translate(device, IOVA, DmaAccess.READ);
    }
  }

  private ContextEntry entry(int number) {
    return ContextEntry.translating(it.pageTable, AddressWidth.BITS_48, number);
  }

  /** What an assignment does to the unit, and the first request after it. */
  long switchDomain() {
    int old = domainId;
    domainId = old ^ SPARE ^ FIRST;
    it.context(DEVICE, entry(domainId));
    it.contextCommand(ContextCommand.device(old, DEVICE, 0));
    it.iotlbCommand(IotlbCommand.domain(old));
    return it.translate(DEVICE, IOVA, DmaAccess.READ).maddr();
  }

  /** A page of the device's domain is unmapped and mapped again. */
  long flushPage() {
    it.invalidatePages(domainId, IOVA, 0);
    return it.translate(DEVICE, IOVA, DmaAccess.READ).maddr();
  }

  long entryReads() {
    return it.unit.counters().entryReads();
  }

  @Override
  public void close() {
    it.close();
  }
}
