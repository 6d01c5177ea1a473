package io.hypercalld.core.p2m;

/** What a device may do with a page through the IOMMU. */
public enum DmaPermission {
  NONE,
  READ,
  READ_WRITE
}
