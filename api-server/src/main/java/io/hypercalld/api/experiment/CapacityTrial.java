package io.hypercalld.api.experiment;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** One virtual function for each guest, card after card, until no card has one. Confined. */
final class CapacityTrial {
  private CapacityTrial() {}

  static DomainIdAnswer.Capacity run(String platform, DriverPolicies policies) {
    try (Bench bench = new Bench(platform, policies)) {
      long guests = 0;
      long overflowing = 0;
      Optional<Errno> stopped = Optional.empty();
      for (int unit = 0; unit < bench.units().size(); unit++) {
        List<Sbdf> functions = bench.virtualFunctions(unit);
        Optional<Errno> full = Optional.empty();
        for (int i = 0; i < functions.size() && full.isEmpty(); i++) {
          Domain guest = bench.guest();
          full = bench.assign(guest, functions.get(i));
          guests += full.isEmpty() ? 1 : 0;
          overflowing += overflows(bench, unit, guest) ? 1 : 0;
        }
        stopped = full;
      }
      return new DomainIdAnswer.Capacity(
          policies.domainIds(), policies.profile(), guests, overflowing, stopped.map(Errno::name));
    }
  }

  private static boolean overflows(Bench bench, int unit, Domain guest) {
    OptionalInt did = bench.unit(unit).domainIdOf(guest.id());
    return did.isPresent() && did.getAsInt() >= bench.unit(unit).capabilities().domainIds();
  }
}
