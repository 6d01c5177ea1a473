package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import java.util.List;

/**
 * Domain-ids whose operations can be taken one store at a time, so that another operation fits
 * between any two of them.
 */
sealed interface SteppedDomainIds permits MappedDomainIds, ScannedDomainIds {
  /**
   * What claims an id for an owner that has none: finding and marking it is one step, since claims
   * exclude each other.
   */
  List<Runnable> claimSteps(DomainId owner);

  /** What frees the owner's id, which is looked up now; none where it has no id. */
  List<Runnable> releaseSteps(DomainId owner);
}
