package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.PasidEntry;
import io.hypercalld.iommu.vtd.TranslationType;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a requester's requests go through, by PASID, whichever mode's tables say it. Immutable.
 *
 * <p>Legacy mode has one address space only, that of requests without PASID.
 *
 * @param deviceTlb whether its device may keep translations
 * @param pasids whether its requests may carry a PASID
 * @param requestPasid whose space requests without PASID go through
 * @param spaces by PASID; requests of any other are blocked
 */
record RequesterEntry(
    boolean deviceTlb, boolean pasids, int requestPasid, SortedMap<Integer, PasidEntry> spaces) {
  /** Everything is blocked. */
  static final RequesterEntry ABSENT =
      new RequesterEntry(false, false, 0, Collections.emptySortedMap());

  RequesterEntry {
    spaces = Collections.unmodifiableSortedMap(new TreeMap<>(spaces));
  }

  boolean isPresent() {
    return !spaces.isEmpty();
  }

  /** Whether some requests go through first-level tables. */
  boolean isNested() {
    return spaces.values().stream().anyMatch(RequesterEntry::isNested);
  }

  private static boolean isNested(PasidEntry entry) {
    return entry.granularity().filter(PasidEntry.Granularity::usesFirstLevel).isPresent();
  }

  /** Whether legacy mode can say it. */
  boolean isLegacy() {
    return !pasids && requestPasid == 0 && Set.of(0).containsAll(spaces.keySet()) && !isNested();
  }

  /**
   * The domain-ids under which something may be remembered that another entry says no more: never
   * none of a present one.
   */
  Set<Integer> leftBehind(RequesterEntry now) {
    Set<Integer> left = new TreeSet<>();
    spaces.forEach(
        (pasid, space) -> {
          if (!space.equals(now.spaces.get(pasid))) {
            left.add(space.domainId());
          }
        });
    if (left.isEmpty() && isPresent()) {
      left.add(spaces.firstEntry().getValue().domainId());
    }
    return left;
  }

  /** The second-level side of a space as a context entry of legacy mode says it. */
  private ContextEntry context(PasidEntry space) {
    AddressWidth width = AddressWidth.of(space.addressWidthEncoding()).orElseThrow();
    boolean passes =
        space.granularity().filter(PasidEntry.Granularity.PASS_THROUGH::equals).isPresent();
    return passes
        ? ContextEntry.passingThrough(width, space.domainId())
        : ContextEntry.of(
            deviceTlb ? TranslationType.SECOND_STAGE_WITH_DEVICE_TLB : TranslationType.SECOND_STAGE,
            space.secondLevelRoot(),
            width,
            space.domainId());
  }

  /** The space of requests without PASID, absent where they are blocked. */
  ContextEntry context() {
    PasidEntry space = spaces.get(requestPasid);
    return space == null ? ContextEntry.ABSENT : context(space);
  }

  /** All spaces by PASID. */
  SortedMap<Integer, ContextEntry> contexts() {
    SortedMap<Integer, ContextEntry> contexts = new TreeMap<>();
    for (Map.Entry<Integer, PasidEntry> space : spaces.entrySet()) {
      contexts.put(space.getKey(), context(space.getValue()));
    }
    return contexts;
  }
}
