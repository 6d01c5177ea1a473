package io.hypercalld.iommu.driver;

import io.hypercalld.core.notice.Notices;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.vtd.Invalidation;

/** Tells what a unit is told to forget. Confined to the machine thread. */
public record InvalidationNotices(int iommu, Notices notices) implements UnitObserver {
  @Override
  public void invalidated(Invalidation.OfCaches command) {
    if (notices.hears(IommuNotice.INVALIDATED)) {
      notices.tell(
          IommuNotice.INVALIDATED,
          new IommuNotice.Invalidated(iommu, command.getClass().getSimpleName(), (Record) command));
    }
  }

  @Override
  public void settled() {}

  @Override
  public void commanded() {}
}
