package io.hypercalld.iommu.driver;

import io.hypercalld.core.notice.Notices;
import io.hypercalld.iommu.driver.IommuNotice.Invalidated;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationGranularity;

/** Tells what a unit is told to forget. Confined to the machine thread. */
public record InvalidationNotices(int iommu, Notices notices) implements UnitObserver {
  @Override
  public void invalidated(Invalidation.OfCaches command) {
    if (notices.hears(IommuNotice.INVALIDATED)) {
      notices.tell(IommuNotice.INVALIDATED, about(command));
    }
  }

  private Invalidated about(Invalidation.OfCaches command) {
    return switch (command) {
      case Invalidation.AllContexts all -> whole("context", all.granularity());
      case Invalidation.DomainContexts(int did) -> domain("context").of(did);
      case Invalidation.DeviceContexts(int did, var _, int _) -> part("context").of(did);
      case Invalidation.AllTranslations all -> whole("iotlb", all.granularity());
      case Invalidation.DomainTranslations(int did) -> domain("iotlb").of(did);
      case Invalidation.PageTranslations(int did, long iova, int mask, var _) ->
          part("iotlb").of(did).at(iova, mask);
      case Invalidation.AllPasids all -> whole("pasid", all.granularity());
      case Invalidation.DomainPasids(int did) -> domain("pasid").of(did);
      case Invalidation.SinglePasid(int did, int _) -> part("pasid").of(did);
      case Invalidation.PasidTranslations(int did, int _) -> domain("pasid-iotlb").of(did);
      case Invalidation.PasidPageTranslations(int did, int _, long iova, int mask, var _) ->
          part("pasid-iotlb").of(did).at(iova, mask);
      case Invalidation.AllInterrupts _ -> whole("iec", InvalidationGranularity.GLOBAL);
      case Invalidation.Interrupts _ -> part("iec");
    };
  }

  private Invalidated whole(String cache, InvalidationGranularity granularity) {
    return Invalidated.whole(iommu, cache, granularity);
  }

  private Invalidated domain(String cache) {
    return whole(cache, InvalidationGranularity.DOMAIN);
  }

  private Invalidated part(String cache) {
    return whole(cache, InvalidationGranularity.SELECTIVE);
  }

  @Override
  public void settled() {}

  @Override
  public void commanded() {}
}
