package io.hypercalld.api.experiment;

import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.DomainIdRace;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How many guests can have devices, by how domain-ids are chosen; what a flush costs them, and when
 * an id may change hands. Confined to the thread that runs it.
 *
 * @see "documents/004, VT-d: per-iommu domain-id"
 */
public final class DomainIdExperiment {
  private final DomainIdQuestion question;

  private DomainIdExperiment(DomainIdQuestion question) {
    this.question = question;
  }

  /**
   * Tries everything.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static DomainIdAnswer run(DomainIdQuestion question) {
    return new DomainIdExperiment(question).answer();
  }

  private DomainIdAnswer answer() {
    String platform = question.platform();
    try (Bench bench = new Bench(platform, DriverPolicies.usual())) {
      int units = bench.units().size();
      return new DomainIdAnswer(
          question,
          units,
          bench.unit(0).capabilities().domainIds(),
          schemes().map(scheme -> CapacityTrial.run(platform, scheme)).toList(),
          IntStream.rangeClosed(1, units)
              .mapToObj(spread -> PlacementTrial.run(platform, spread))
              .toList(),
          schemes().flatMap(scheme -> FlushTrial.run(question, scheme).stream()).toList(),
          Stream.of(DomainIdAnswer.Moment.values())
              .map(moment -> ReuseTrial.run(platform, moment))
              .toList(),
          Stream.of(Profile.AS_SHIPPED, Profile.FIXED).map(DomainIdExperiment::race).toList(),
          Stream.of(Profile.AS_SHIPPED, Profile.FIXED)
              .flatMap(profile -> ReleaseTrial.run(profile).stream())
              .toList());
    }
  }

  /** The two schemes of the document, each as it was shipped and mended. */
  private static Stream<DriverPolicies> schemes() {
    return Stream.of(DomainIdPolicy.GLOBAL, DomainIdPolicy.PER_UNIT)
        .flatMap(
            ids ->
                Stream.of(Profile.AS_SHIPPED, Profile.FIXED)
                    .map(profile -> new DriverPolicies(ids, Quarantine.Mode.BASIC, profile)));
  }

  private static DomainIdAnswer.Race race(Profile profile) {
    List<DomainIdRace.Outcome> outcomes = DomainIdRace.explore(profile);
    List<String> lost =
        outcomes.stream()
            .filter(outcome -> !outcome.lost().isEmpty())
            .map(DomainIdRace.Outcome::order)
            .toList();
    return new DomainIdAnswer.Race(profile, outcomes.size(), lost.size(), lost);
  }
}
