package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.FaultEffect;
import io.hypercalld.api.machine.FaultRule;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/** "If no other devices under the same iommu": what counts as one, on awkward devices. Confined. */
final class ReleaseTrial {
  private static final Sbdf BESIDE_HIDDEN = Sbdf.parse("00:13.0");
  private static final Sbdf SOUND = Sbdf.parse("08:01.0");
  private static final Sbdf MODEM = Sbdf.parse("08:02.0");
  private static final Sbdf PHANTOM = Sbdf.parse("0a:00.0");
  private static final Sbdf FUNCTION = Sbdf.parse("03:10.0");

  private final Profile profile;

  private ReleaseTrial(Profile profile) {
    this.profile = profile;
  }

  /** Something to do, and whether the id in question is free afterwards. */
  private interface Situation {
    boolean freesId(Bench bench, Domain guest);
  }

  static List<DomainIdAnswer.Release> run(Profile profile) {
    ReleaseTrial trial = new ReleaseTrial(profile);
    return List.of(
        trial.row("a hidden device of dom0's stays", ReleaseTrial::besideHidden),
        trial.row("another device behind the bridge stays", ReleaseTrial::oneOfTwo),
        trial.row("both devices behind the bridge leave", ReleaseTrial::bothOfTwo),
        trial.row("it has phantom functions", ReleaseTrial::phantom),
        trial.row("its unit cannot be brought to forget it", ReleaseTrial::unforgotten));
  }

  private DomainIdAnswer.Release row(String situation, Situation tried) {
    DriverPolicies policies =
        new DriverPolicies(DomainIdPolicy.PER_UNIT, Quarantine.Mode.BASIC, profile);
    try (Bench bench = new Bench("awkward-devices", policies)) {
      return new DomainIdAnswer.Release(situation, profile, tried.freesId(bench, bench.guest()));
    }
  }

  private static boolean besideHidden(Bench bench, Domain guest) {
    bench.give(guest, BESIDE_HIDDEN);
    return isFree(bench, BESIDE_HIDDEN, DomainId.DOM0);
  }

  private static boolean oneOfTwo(Bench bench, Domain guest) {
    bench.give(guest, SOUND);
    bench.give(guest, MODEM);
    bench.deassign(guest.id(), SOUND);
    return isFree(bench, SOUND, guest.id());
  }

  private static boolean bothOfTwo(Bench bench, Domain guest) {
    oneOfTwo(bench, guest);
    bench.deassign(guest.id(), MODEM);
    return isFree(bench, MODEM, guest.id());
  }

  private static boolean phantom(Bench bench, Domain guest) {
    bench.give(guest, PHANTOM);
    bench.deassign(guest.id(), PHANTOM);
    return isFree(bench, PHANTOM, guest.id());
  }

  private static boolean unforgotten(Bench bench, Domain guest) {
    bench.give(guest, FUNCTION);
    bench.inject(
        new FaultRule(
            Optional.empty(),
            FaultRule.Match.commands(Optional.empty(), Optional.empty(), Optional.of(FUNCTION)),
            FaultRule.When.times(1),
            FaultRule.Effect.of(FaultEffect.INVALIDATION_TIMEOUT)));
    bench.deassign(guest.id(), FUNCTION);
    return isFree(bench, FUNCTION, guest.id());
  }

  private static boolean isFree(Bench bench, Sbdf device, DomainId owner) {
    return bench
        .machine()
        .driver()
        .devices()
        .find(device)
        .orElseThrow()
        .unit()
        .orElseThrow()
        .domainIdOf(owner)
        .isEmpty();
  }
}
