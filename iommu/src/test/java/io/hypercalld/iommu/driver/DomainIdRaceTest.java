package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Freeing a domain-id while another is claimed, in every order of their stores. */
class DomainIdRaceTest {
  @Test
  void shipped_losesTheNewOwner_whoseIdIsFreedBeforeTheOldOneIsStruckOut() {
    assertThat(DomainIdRace.explore(Profile.AS_SHIPPED))
        .hasSize(15)
        .filteredOn(outcome -> !outcome.lost().isEmpty())
        .extracting(DomainIdRace.Outcome::order)
        .contains("FCCFCC")
        .allMatch(order -> order.indexOf('F') < order.lastIndexOf("CF"));
  }

  @ParameterizedTest
  @EnumSource(names = {"TODAY", "FIXED"})
  void mended_neverLosesAnOwner(Profile profile) {
    assertThat(DomainIdRace.explore(profile))
        .hasSize(15)
        .allMatch(outcome -> outcome.lost().isEmpty());
  }

  @Test
  void shipped_losesTheNewOwner_whoseUnmappedPageIsFlushedNoMore() {
    ScannedDomainIds ids = new ScannedDomainIds(0, 16, false);

    assertThat(reachesAPageAfterItsRemoval(Profile.AS_SHIPPED, ids, ids)).isTrue();
  }

  @Test
  void mended_keepsTheNewOwner_whoseUnmappedPageIsFlushed() {
    MappedDomainIds ids = new MappedDomainIds(0, 16, false);

    assertThat(reachesAPageAfterItsRemoval(Profile.FIXED, ids, ids)).isFalse();
  }

  /** A guest is given a device between the two steps that free another's id. */
  private static boolean reachesAPageAfterItsRemoval(
      Profile profile, DomainIds ids, SteppedDomainIds steps) {
    try (SimulatedMachine machine =
        SimulatedMachine.with(
            new DriverPolicies(DomainIdPolicy.PER_UNIT, Quarantine.Mode.BASIC, profile))) {
      Sbdf device = SimulatedMachine.virtualFunction(0);
      UnitDriver unit = machine.driver.devices().find(device).orElseThrow().unit().orElseThrow();
      DomainIds chosen =
          Transaction.run(
              transaction -> {
                unit.domainIds().replace(transaction, ids);
                return ids;
              });
      chosen.claim(DomainId.DOM0);
      DomainId leaving = new DomainId(100);
      chosen.claim(leaving);
      Domain coming = machine.guest(16, true);

      var release = steps.releaseSteps(leaving).iterator();
      release.next().run();
      machine.assign(device, coming);
      release.next().run();

      machine.write(device, 0x3000, "01");
      machine.remove(coming, 3);
      return machine.write(device, 0x3000, "02").verdict() == Verdict.DONE;
    }
  }
}
