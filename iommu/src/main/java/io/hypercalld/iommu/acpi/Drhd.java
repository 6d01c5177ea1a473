package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * DMA Remapping Hardware Unit Definition: one remapping unit and what it covers. Immutable.
 *
 * @param base machine address of the register window
 * @param windowOrder log2 of the window in 4 KiB pages
 * @param includeAll whether it covers what no other unit of the segment claims
 * @see "VT-d §8.3"
 */
public record Drhd(
    int segment, long base, int windowOrder, boolean includeAll, List<DeviceScope> scopes)
    implements DmarStructure {
  private static final int PAGE_SHIFT = 12;

  public Drhd {
    scopes = List.copyOf(scopes);
  }

  /** Bytes of the register window. */
  public long windowBytes() {
    return 1L << (PAGE_SHIFT + windowOrder);
  }
}
