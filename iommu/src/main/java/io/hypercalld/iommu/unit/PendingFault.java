package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultRecord;

/**
 * A fault that waits for software. Immutable.
 *
 * @param index which of the unit's records holds it
 */
public record PendingFault(int index, FaultRecord record) {}
