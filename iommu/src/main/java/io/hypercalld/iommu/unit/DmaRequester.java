package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import java.util.Optional;

/**
 * A function that makes memory requests, and where the wires lead. Immutable.
 *
 * @param sourceId the id that its requests carry
 * @param unit the unit that sees its requests, as the topology decides; empty where none does
 * @param busMaster the bus-master bit of its command register: without it nothing leaves the device
 */
public record DmaRequester(SourceId sourceId, Optional<RemappingUnit> unit, boolean busMaster) {}
