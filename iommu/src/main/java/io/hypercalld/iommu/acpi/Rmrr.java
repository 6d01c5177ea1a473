package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * Reserved Memory Region Reporting: memory that devices use before and beside the operating system.
 * Immutable.
 *
 * @param limit the last byte, inclusive
 * @see "VT-d §8.4"
 */
public record Rmrr(int segment, long base, long limit, List<DeviceScope> scopes)
    implements DmarStructure {
  public Rmrr {
    scopes = List.copyOf(scopes);
  }
}
