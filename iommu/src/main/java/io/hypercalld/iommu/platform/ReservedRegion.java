package io.hypercalld.iommu.platform;

import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;

/**
 * Memory that some devices must always reach, at the same address on both sides. Immutable.
 *
 * @param base first byte, on a page boundary
 * @param limit last byte, inclusive
 * @param devices those that exist, in the order they were named; none where all are absent
 */
public record ReservedRegion(long base, long limit, List<Sbdf> devices) {
  private static final int PAGE_SHIFT = 12;

  public ReservedRegion {
    devices = List.copyOf(devices);
  }

  /** Number of 4 KiB pages. */
  public long pages() {
    return (limit >>> PAGE_SHIFT) - (base >>> PAGE_SHIFT) + 1;
  }

  boolean overlaps(ReservedRegion other) {
    return base <= other.limit && other.base <= limit;
  }

  /** As complaints call it. */
  String name() {
    return "reserved region 0x%x-0x%x".formatted(base, limit);
  }
}
