package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * SoC Integrated Address Translation Cache: integrated devices that keep translations. Immutable.
 *
 * @param atcRequired whether they cannot work without
 * @see "VT-d §8.8"
 */
public record Satc(int segment, boolean atcRequired, List<DeviceScope> scopes)
    implements DmarStructure {
  public Satc {
    scopes = List.copyOf(scopes);
  }
}
