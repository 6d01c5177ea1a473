package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.PasidEntry;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where scalable mode's tables in memory send a requester's requests. Immutable.
 *
 * @param deviceTlb whether its device may keep translations
 * @param pasids whether its requests may carry a PASID
 * @param requestPasid whose entry requests without PASID go by
 * @param entries by PASID, those by which some request could pass; the others' requests are blocked
 */
public record RequesterPasids(
    boolean deviceTlb, boolean pasids, int requestPasid, SortedMap<Integer, PasidEntry> entries) {
  /** Nowhere. */
  public static final RequesterPasids BLOCKED =
      new RequesterPasids(false, false, 0, Collections.emptySortedMap());

  public RequesterPasids {
    // No view of a map: copies of the whole machine are made of what they know.
    entries = new TreeMap<>(entries);
  }
}
