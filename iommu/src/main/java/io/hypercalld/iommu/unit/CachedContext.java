package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Optional;

/**
 * One entry of the context cache. Immutable.
 *
 * @param domainId the tag that invalidations compare; 0 for an entry that was absent or wrong
 * @param fault why requests are blocked; only units in caching mode remember such entries
 */
public record CachedContext(
    SourceId requester, int domainId, ContextEntry entry, Optional<FaultReason> fault) {
  static CachedContext of(long judged, ContextEntry entry) {
    return new CachedContext(
        new SourceId(JudgedContext.sourceId(judged)),
        JudgedContext.domainId(judged),
        entry,
        JudgedContext.fault(judged));
  }
}
