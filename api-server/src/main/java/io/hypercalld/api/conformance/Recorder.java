package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.Capabilities;

/**
 * Which of the two recorded implementations it is, by the one capability in which they differ.
 * Stateless.
 */
final class Recorder {
  private Recorder() {}

  /** Whether it is the newer one, which announces CAP.ESRTPS. */
  static boolean isNewer(Capabilities capabilities) {
    return capabilities.invalidatesOnRootPointer();
  }
}
