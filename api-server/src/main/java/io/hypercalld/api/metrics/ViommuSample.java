package io.hypercalld.api.metrics;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.virtual.ShadowCounters;
import io.hypercalld.iommu.virtual.ShadowReport;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Shadows of one domain. Immutable.
 *
 * @param entries pages of 4 KiB of the guest's tables that they follow
 * @param pages frames of their own tables
 * @param missingInvalidations requests that met what the guest changed in silence
 * @param syncs how often they were brought into step, by what made it necessary
 * @param invalidations that the guest had its unit carry out
 * @param guestFaults faults of physical devices that went to the guest, by reason
 */
record ViommuSample(
    long entries,
    long pages,
    long missingInvalidations,
    Map<String, Long> syncs,
    List<InvalidationCount> invalidations,
    Map<String, Long> guestFaults) {
  /** Of a domain; empty for one without shadows. */
  static Optional<ViommuSample> of(Domain domain) {
    return domain
        .findFacet(VirtualIommu.class)
        .flatMap(iommu -> iommu.report().map(report -> of(iommu.requireUnit(), report)));
  }

  private static ViommuSample of(VirtualUnit unit, ShadowReport report) {
    ShadowCounters counters = report.counters();
    Map<String, Long> syncs = new TreeMap<>();
    counters.syncs().forEach((trigger, count) -> syncs.put(trigger.toString(), count));
    Map<String, Long> faults = new TreeMap<>();
    counters
        .guestFaults()
        .forEach((reason, count) -> faults.put("0x" + Integer.toHexString(reason.code()), count));
    return new ViommuSample(
        report.pages(),
        report.tables(),
        counters.missingInvalidations(),
        Map.copyOf(syncs),
        InvalidationCount.of(unit.silicon().counters()),
        Map.copyOf(faults));
  }
}
