package io.hypercalld.iommu.audit;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.unit.CachedContext;
import io.hypercalld.iommu.unit.CachedTranslation;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/** I4, I6: what a unit remembers against what its tables say now. */
final class CacheAudit {
  private final UnitDriver driver;
  private final RemappingUnit unit;
  private final TableAudit tables;

  CacheAudit(UnitDriver driver, RemappingUnit unit, TableAudit tables) {
    this.driver = driver;
    this.unit = unit;
    this.tables = tables;
  }

  void check(List<Violation> found) {
    unit.contextCache().forEach(cached -> checkContext(cached, found));
    Map<Integer, ContextEntry> byDomainId = new TreeMap<>();
    tables
        .present(driver)
        .forEach(space -> byDomainId.put(space.entry().domainId(), space.entry()));
    unit.iotlb().forEach(cached -> checkTranslation(cached, byDomainId, found));
  }

  private void checkContext(CachedContext cached, List<Violation> found) {
    ContextEntry now = driver.contextWords(cached.requester());
    if (!now.equals(cached.entry())) {
      found.add(
          new Violation(
              "I6",
              "iommu %d remembers the context entry of %s with domain-id %d, the table has %s"
                  .formatted(
                      driver.index(),
                      cached.requester(),
                      cached.entry().domainId(),
                      now.isPresent() ? "domain-id " + now.domainId() : "none")));
    }
  }

  private void checkTranslation(
      CachedTranslation cached, Map<Integer, ContextEntry> byDomainId, List<Violation> found) {
    ContextEntry entry = byDomainId.get(cached.domainId());
    if (entry == null) {
      found.add(
          new Violation(
              "I4",
              "iommu %d remembers 0x%x -> 0x%x under domain-id %d, which no context entry uses"
                  .formatted(driver.index(), cached.iova(), cached.maddr(), cached.domainId())));
      return;
    }
    // A guest's first level is its own affair: of that a unit may remember what the guest lets it.
    OptionalLong stale =
        cached.pasid().isPresent() ? OptionalLong.empty() : firstDifference(entry, cached);
    stale.ifPresent(
        iova ->
            found.add(
                new Violation(
                    "I6",
                    "iommu %d remembers 0x%x -> 0x%x for domain-id %d of %s, the tables say %s"
                        .formatted(
                            driver.index(),
                            iova,
                            cached.maddr() + iova - cached.iova(),
                            cached.domainId(),
                            driver
                                .ownerOf(cached.domainId())
                                .map(DomainId::toString)
                                .orElse("nobody"),
                            target(tables.leaf(entry, iova))))));
  }

  private static String target(OptionalLong leaf) {
    return leaf.isEmpty()
        ? "nothing"
        : "0x" + Long.toHexString(SecondStageEntry.target(leaf.getAsLong()));
  }

  /** The first address of a page at which the tables say something else, leaf by leaf. */
  private OptionalLong firstDifference(ContextEntry entry, CachedTranslation cached) {
    long end = cached.iova() + cached.size().bytes();
    for (long iova = cached.iova(); iova < end; iova += tables.leafBytes(entry, iova)) {
      if (!agrees(cached, tables.leaf(entry, iova), iova - cached.iova())) {
        return OptionalLong.of(iova);
      }
    }
    return OptionalLong.empty();
  }

  private static boolean agrees(CachedTranslation cached, OptionalLong leaf, long inside) {
    if (!cached.readable() && !cached.writable()) {
      return leaf.isEmpty();
    }
    return leaf.isPresent() && agrees(cached, leaf.getAsLong(), inside);
  }

  private static boolean agrees(CachedTranslation cached, long leaf, long inside) {
    int permissions = SecondStageEntry.permissions(leaf);
    return SecondStageEntry.target(leaf) == cached.maddr() + inside
        && SecondStageEntry.permitsRead(permissions) == cached.readable()
        && SecondStageEntry.permitsWrite(permissions) == cached.writable();
  }
}
