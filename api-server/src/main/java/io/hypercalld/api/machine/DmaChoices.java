package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.GuestContexts;
import io.hypercalld.iommu.driver.IommuApi;
import java.util.Optional;

/**
 * How a domain drives devices; what is left out stays as it is. Immutable.
 *
 * @param mode what it tells its devices as addresses
 * @param api which {@code iommu_op} it has
 * @param contexts how many address spaces it may make for devices
 */
public record DmaChoices(
    Optional<DmaMode> mode, Optional<IommuApi> api, Optional<Integer> contexts) {
  /** What Xen does. */
  public static final DmaChoices NONE =
      new DmaChoices(Optional.empty(), Optional.empty(), Optional.empty());

  /** Another mode only. */
  public static DmaChoices of(DmaMode mode) {
    return new DmaChoices(Optional.of(mode), Optional.empty(), Optional.empty());
  }

  /** Whether its memory is to be made of consecutive machine frames of the same numbers. */
  boolean isIdentity() {
    return mode.equals(Optional.of(DmaMode.IDENTITY));
  }

  /** Has a domain follow them. */
  void applyTo(Transaction steps, Machine machine, Domain domain) {
    if (api.isPresent() || contexts.isPresent()) {
      GuestContexts own =
          domain
              .findFacet(GuestContexts.class)
              .orElseThrow(
                  () -> Refusal.of(Errno.EOPNOTSUPP, "no iommu translates for %s", domain.id()));
      IommuApi apiBefore = own.api();
      int mostBefore = own.most();
      steps.onFailure(() -> own.choose(apiBefore, mostBefore));
      own.choose(api.orElse(own.api()), contexts.orElse(own.most()));
    }
    if (mode.isPresent()) {
      machine.driver().addressModes().choose(domain, mode);
    }
  }
}
