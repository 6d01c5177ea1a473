package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

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
}
