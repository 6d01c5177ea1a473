package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;

/**
 * The private table of a device that must reach its reserved regions even in quarantine. Immutable;
 * the table in memory is not.
 *
 * @param tag the device's pseudo domain id, which owns a domain-id of the device's unit
 */
record QuarantineTable(DomainId tag, DmaTable table) implements Digestible {
  AddressSpace addressSpace() {
    return new AddressSpace(tag, table.levels(), table::rootFor);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(tag.value()).put(table);
  }
}
