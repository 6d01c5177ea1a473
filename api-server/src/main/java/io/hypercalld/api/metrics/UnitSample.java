package io.hypercalld.api.metrics;

import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Map;

/**
 * One remapping unit: what it holds now, and what it has done. Immutable.
 *
 * @param faults requests blocked, by reason, recorded or not
 * @param readFaults those of them that were to read memory
 * @param invalidations only kinds that occurred
 */
record UnitSample(
    int index,
    DomainIdSample domainIds,
    int contextEntries,
    CacheSample iotlb,
    CacheSample contextCache,
    long untranslated,
    Map<FaultReason, Long> faults,
    Map<FaultReason, Long> readFaults,
    long faultOverflows,
    int faultRecordsPending,
    List<InvalidationCount> invalidations,
    long queueErrors) {
  /** Domain-ids, and how often none was free. */
  record DomainIdSample(int used, int capacity, long failures) {}

  /** One cache. */
  record CacheSample(long hits, long misses, int entries) {
    long lookups() {
      return hits + misses;
    }
  }

  /** Requests that were blocked before any cache was asked, as RTADDR names no usable mode. */
  long blockedByMode() {
    return faults.getOrDefault(FaultReason.ROOT_TABLE_MODE_INVALID, 0L)
        + faults.getOrDefault(FaultReason.DMA_ABORTED, 0L);
  }

  long blocked() {
    return faults.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Requests that were translated: every other one has asked the context cache, too. */
  long translated() {
    return contextCache.lookups() - (blocked() - blockedByMode());
  }
}
