package io.hypercalld.iommu.driver;

/** How much a unit was told to forget. */
enum FlushScope {
  /** It was not told anything, as it could know nothing. */
  NOTHING,
  PAGE,
  DOMAIN
}
