package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * SoC Integrated Device Property: what to expect of integrated devices; each scope's flags say.
 * Immutable.
 *
 * @see "VT-d §8.9"
 */
public record Sidp(int segment, List<DeviceScope> scopes) implements DmarStructure {
  public Sidp {
    scopes = List.copyOf(scopes);
  }
}
