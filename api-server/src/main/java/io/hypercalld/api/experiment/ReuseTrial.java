package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.FaultEffect;
import io.hypercalld.api.machine.FaultRule;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An id goes from one guest to the next while the unit remembers a translation of the first. A
 * flush that comes late or never is one that the unit drops. Confined.
 */
final class ReuseTrial {
  private static final long ADDRESS = 0x1000;

  private ReuseTrial() {}

  static DomainIdAnswer.Reuse run(String platform, DomainIdAnswer.Moment moment) {
    try (Bench bench = new Bench(platform, DriverPolicies.usual())) {
      List<Sbdf> functions = bench.virtualFunctions(0);
      Domain first = bench.guest();
      bench.give(first, functions.get(0));
      Optional<Word> old = bench.arrives(functions.get(0), ADDRESS);
      OptionalInt oldId = bench.unit(0).domainIdOf(first.id());
      if (moment != DomainIdAnswer.Moment.BEFORE_FREE) {
        bench.inject(dropping(Malfunction.Command.IOTLB));
      }
      bench.deassign(first.id(), functions.get(0));
      Domain second = bench.guest();
      bench.give(second, functions.get(1));
      boolean atOnce = bench.arrives(functions.get(1), ADDRESS).equals(old);
      if (moment == DomainIdAnswer.Moment.AFTER_FREE) {
        flush(bench, second, functions.get(2));
      }
      boolean inTheEnd = bench.arrives(functions.get(1), ADDRESS).equals(old);
      return new DomainIdAnswer.Reuse(
          moment,
          bench.unit(0).domainIdOf(second.id()).equals(oldId),
          atOnce,
          inTheEnd,
          bench.machine().violations().stream().map(Violation::invariant).distinct().toList());
    }
  }

  private static FaultRule dropping(Malfunction.Command command) {
    return new FaultRule(
        Optional.empty(),
        FaultRule.Match.commands(Optional.of(0), Optional.of(command), Optional.empty()),
        FaultRule.When.times(1),
        FaultRule.Effect.of(FaultEffect.DROP_INVALIDATION));
  }

  /** A device that leaves has all translations of its owner's id forgotten. */
  private static void flush(Bench bench, Domain owner, Sbdf device) {
    bench.give(owner, device);
    bench.deassign(owner.id(), device);
  }
}
