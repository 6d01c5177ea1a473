package io.hypercalld.api.metrics;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainState;
import io.hypercalld.core.memory.PageSize;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One domain. Immutable.
 *
 * @param p2m empty for a domain without one
 * @param iommu empty where no device can be given to it
 * @param models empty where no device model can be had
 * @param viommu empty where no table of the guest's is shadowed
 */
record DomainSample(
    int domid,
    State state,
    long memoryBytes,
    int devices,
    Optional<Physmap> p2m,
    Optional<Iommu> iommu,
    Optional<ModelSample> models,
    Optional<ViommuSample> viommu) {
  /** Whether it runs, as resources tell it. */
  enum State {
    RUNNING,
    PAUSED,
    SHUTDOWN,
    DYING;

    static State of(Domain domain) {
      if (domain.state() != DomainState.ALIVE) {
        return DYING;
      }
      if (domain.run().isShutDown()) {
        return SHUTDOWN;
      }
      return domain.run().isPausedByController() ? PAUSED : RUNNING;
    }
  }

  /**
   * Its P2M.
   *
   * @param pages pages of 4 KiB that its tables take
   */
  record Physmap(long pages, LeafCounts leaves) {}

  /**
   * What its devices' requests are translated with.
   *
   * @param tables of a table of its own; empty where it is the P2M
   */
  record Iommu(OptionalLong tables) {}

  static long bytes(long pages) {
    return pages << PageSize.SHIFT_4K;
  }
}
