package io.hypercalld.api.machine;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.iommu.driver.IommuNotice;
import io.hypercalld.iommu.driver.IommuNotice.Invalidated;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.Optional;

/** Tells what a unit is told to forget. Confined to the machine thread. */
record InvalidationNotices(int iommu, Notices notices) implements UnitObserver {
  @Override
  public void invalidated(Invalidation.OfCaches command) {
    if (notices.hears(IommuNotice.INVALIDATED)) {
      notices.tell(IommuNotice.INVALIDATED, about(command));
    }
  }

  private Invalidated about(Invalidation.OfCaches command) {
    return switch (command) {
      case Invalidation.AllContexts _ -> all("context");
      case Invalidation.DomainContexts(int did) -> domain("context", did);
      case Invalidation.DeviceContexts(int did, var _, int _) -> part("context", did);
      case Invalidation.AllTranslations _ -> all("iotlb");
      case Invalidation.DomainTranslations(int did) -> domain("iotlb", did);
      case Invalidation.PageTranslations(int did, long iova, int mask, var _) ->
          pages(part("iotlb", did), iova, mask);
      case Invalidation.AllPasids _ -> all("pasid");
      case Invalidation.DomainPasids(int did) -> domain("pasid", did);
      case Invalidation.SinglePasid(int did, int _) -> part("pasid", did);
      case Invalidation.PasidTranslations(int did, int _) -> domain("pasid-iotlb", did);
      case Invalidation.PasidPageTranslations(int did, int _, long iova, int mask, var _) ->
          pages(part("pasid-iotlb", did), iova, mask);
      case Invalidation.AllInterrupts _ -> all("iec");
      case Invalidation.Interrupts _ ->
          of("iec", InvalidationGranularity.SELECTIVE, Optional.empty());
    };
  }

  private Invalidated all(String cache) {
    return of(cache, InvalidationGranularity.GLOBAL, Optional.empty());
  }

  private Invalidated domain(String cache, int did) {
    return of(cache, InvalidationGranularity.DOMAIN, Optional.of(did));
  }

  private Invalidated part(String cache, int did) {
    return of(cache, InvalidationGranularity.SELECTIVE, Optional.of(did));
  }

  private Invalidated of(String cache, InvalidationGranularity granularity, Optional<Integer> did) {
    return new Invalidated(iommu, cache, granularity, did, Optional.empty(), Optional.empty());
  }

  private static Invalidated pages(Invalidated of, long iova, int addressMask) {
    return new Invalidated(
        of.iommu(),
        of.cache(),
        of.granularity(),
        of.domainId(),
        Optional.of(new Word(iova)),
        Optional.of(1L << addressMask));
  }

  @Override
  public void settled() {}

  @Override
  public void commanded() {}
}
