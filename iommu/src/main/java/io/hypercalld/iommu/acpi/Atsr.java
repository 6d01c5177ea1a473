package io.hypercalld.iommu.acpi;

import java.util.List;

/**
 * Root Port ATS Capability Reporting: below which root ports devices may keep translations.
 * Immutable.
 *
 * @param allPorts whether it speaks of all root ports of the segment and names none
 * @see "VT-d §8.5"
 */
public record Atsr(int segment, boolean allPorts, List<DeviceScope> scopes)
    implements DmarStructure {
  public Atsr {
    scopes = List.copyOf(scopes);
  }
}
