package io.hypercalld.iommu.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.Register;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random tables of all of scalable mode: what is explained happens, and caches change nothing. */
final class ScalableOracleTest {
  private static final List<DmaAccess> ACCESSES =
      List.of(DmaAccess.READ, DmaAccess.WRITE, DmaAccess.ATOMIC, DmaAccess.ZERO_LENGTH_READ);

  private static ScalableUnit machine(long seed) {
    return ScalableUnit.on(
        new Capabilities(
            CapabilityFields.CM.put(ScalableUnit.CAPABILITIES.cap(), seed & 1),
            ScalableUnit.CAPABILITIES.ecap()));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void explanation_ofRandomRequests_isWhatHappensThen(long seed) {
    Map<Translation.Outcome, Integer> ends = new EnumMap<>(Translation.Outcome.class);
    TreeSet<Integer> reasons = new TreeSet<>();
    try (ScalableUnit machine = machine(seed)) {
      RandomSpaces tables = new RandomSpaces(machine, seed);
      for (int each = 0; each < 20_000; each++) {
        step(machine, tables);
        Translation translation = agree(machine, tables);
        ends.merge(translation.outcome(), 1, Integer::sum);
        if (!translation.passed()) {
          reasons.add(translation.reason().code());
        }
      }
      assertThat(machine.unit.counters().iotlbHits()).isGreaterThan(100);
    }
    assertThat(ends.get(Translation.Outcome.MAPPED)).isGreaterThan(1000);
    assertThat(reasons).contains(0x59, 0x5a, 0x71, 0x72, 0x79, 0x80, 0x81, 0x85, 0x87);
  }

  private static void step(ScalableUnit it, RandomSpaces tables) {
    if (tables.random.nextInt(3) == 0) {
      tables.edit();
    }
    if (tables.random.nextInt(10) == 0) {
      tables.invalidate();
    }
    if (tables.random.nextInt(20) == 0) {
      it.it.clearRecord(tables.random.nextInt(8));
      it.unit.write32(Register.FSTS.offset(), 1);
    }
  }

  private static Translation agree(ScalableUnit it, RandomSpaces tables) {
    PasidPrefix prefix = tables.prefix();
    long iova = tables.iova();
    DmaAccess access = ACCESSES.get(tables.random.nextInt(ACCESSES.size()));
    MemoryRequest request = new MemoryRequest(ScalableUnit.X, prefix, iova, access);
    Explanation explanation = it.unit.explain(request);
    Explanation again = it.unit.explain(request);

    Translation translation = it.translate(prefix, iova, access);

    assertThat(again).as("explaining changes nothing").isEqualTo(explanation);
    assertThat(explanation.outcome()).as(request.toString()).isEqualTo(translation.outcome());
    assertThat(explanation.cached()).isEqualTo(translation.iotlbHit());
    if (translation.passed()) {
      assertThat(explanation.maddr()).isEqualTo(translation.maddr());
      assertThat(explanation.page()).isEqualTo(translation.pageSize());
    } else {
      assertThat(explanation.reason()).contains(translation.reason());
      assertThat(explanation.recorded()).isEqualTo(translation.recorded());
    }
    return translation;
  }

  @ParameterizedTest
  @ValueSource(longs = {5, 6})
  void secondAnswer_withoutChanges_isTheFirst(long seed) {
    try (ScalableUnit machine = machine(seed)) {
      RandomSpaces tables = new RandomSpaces(machine, seed);
      int passed = 0;
      for (int each = 0; each < 10_000; each++) {
        tables.edit();
        machine.forgetEverything();
        passed += isSameTwice(machine, tables) ? 1 : 0;
      }
      assertThat(passed).isGreaterThan(500);
    }
  }

  /** Whether the request passes, which it does from caches as from tables. */
  private static boolean isSameTwice(ScalableUnit it, RandomSpaces tables) {
    PasidPrefix prefix = tables.prefix();
    long iova = tables.iova();
    DmaAccess access = ACCESSES.get(tables.random.nextInt(ACCESSES.size()));
    Translation first = it.translate(prefix, iova, access);
    long maddr = first.maddr();
    boolean passed = first.passed();
    int reason = passed ? 0 : first.reason().code();

    Translation second = it.translate(prefix, iova, access);

    assertThat(second.passed()).isEqualTo(passed);
    if (passed) {
      assertThat(second.maddr()).isEqualTo(maddr);
    } else {
      assertThat(second.reason().code()).isEqualTo(reason);
    }
    return passed;
  }
}
