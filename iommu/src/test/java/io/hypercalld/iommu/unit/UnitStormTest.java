package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A million random stores to registers, descriptors and tables, a request after each: nothing
 * escapes, nothing hangs, and all of it can be repeated.
 */
final class UnitStormTest {
  private static final int STORES = 250_000;
  private static final int REPEATED_STORES = 25_000;

  private static final Capabilities REMAPPING =
      new Capabilities(
          SimulatedUnit.MODEL.cap() | CapabilityFields.PI.of(1),
          SimulatedUnit.MODEL.ecap()
              | ExtendedCapabilityFields.IR.of(1)
              | ExtendedCapabilityFields.EIM.of(1)
              | ExtendedCapabilityFields.MHMV.of(15));

  private static final Capabilities CACHING =
      new Capabilities(
          REMAPPING.cap() | CapabilityFields.CM.of(1),
          REMAPPING.ecap() | ExtendedCapabilityFields.DT.of(1));

  private static final Capabilities EVERYTHING =
      new Capabilities(
          ScalableUnit.CAPABILITIES.cap() | CapabilityFields.PI.of(1),
          ScalableUnit.CAPABILITIES.ecap()
              | REMAPPING.ecap()
              | ExtendedCapabilityFields.DT.of(1)
              | ExtendedCapabilityFields.PRS.of(1));

  private static UnitSettings settings(Capabilities capabilities) {
    return UnitSettings.of(UnitVersion.V1_0, capabilities, SimulatedUnit.HOST_ADDRESS_WIDTH);
  }

  static Stream<Arguments> units() {
    UnitSettings.CacheSizes tiny = new UnitSettings.CacheSizes(4, 4);
    return Stream.of(
        Arguments.of(Named.of("legacy", settings(REMAPPING)), 1),
        Arguments.of(Named.of("caching mode, tiny", settings(CACHING).withCaches(tiny)), 2),
        Arguments.of(Named.of("scalable", settings(EVERYTHING)), 3),
        Arguments.of(
            Named.of(
                "scalable, lenient, tiny",
                settings(EVERYTHING).withHabits(Habits.LENIENT).withCaches(tiny)),
            4));
  }

  @ParameterizedTest
  @MethodSource("units")
  @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void quarterOfAMillionStores_endAndRequestsExplainThemselves(UnitSettings settings, long seed) {
    try (UnitStorm storm = new UnitStorm(settings, seed)) {
      storm.run(STORES);

      assertThat(storm.compared()).isGreaterThan(STORES / 40);
      assertThat(storm.passed()).isGreaterThan(STORES / 125);
    }
  }

  private static String digest(UnitSettings settings, long seed) {
    try (UnitStorm storm = new UnitStorm(settings, seed)) {
      return storm.run(REPEATED_STORES);
    }
  }

  @ParameterizedTest
  @MethodSource("units")
  void sameStores_endInTheSameState(UnitSettings settings, long seed) {
    assertThat(digest(settings, seed))
        .isEqualTo(digest(settings, seed))
        .isNotEqualTo(digest(settings, seed + 100));
  }
}
