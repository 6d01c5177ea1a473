package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.InterruptRange;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Optional;

/**
 * A function that makes memory requests, and where the wires lead. Immutable.
 *
 * @param sourceId the id that its requests carry
 * @param unit the unit that sees its requests, as the topology decides; empty where none does
 * @param busMaster the bus-master bit of its command register: without it nothing leaves the device
 * @param prefix the address space of its requests
 */
public record DmaRequester(
    SourceId sourceId, Optional<RemappingUnit> unit, boolean busMaster, PasidPrefix prefix) {
  /** A function whose requests carry no PASID. */
  public DmaRequester(SourceId sourceId, Optional<RemappingUnit> unit, boolean busMaster) {
    this(sourceId, unit, busMaster, PasidPrefix.NONE);
  }

  /** The same function in one of its address spaces. */
  public DmaRequester in(PasidPrefix space) {
    return new DmaRequester(sourceId, unit, busMaster, space);
  }

  /** Whether the fabric takes a request at the address for an interrupt, or for nothing at all. */
  boolean meansInterrupt(long address) {
    return !prefix.present() && InterruptRange.contains(address);
  }
}
