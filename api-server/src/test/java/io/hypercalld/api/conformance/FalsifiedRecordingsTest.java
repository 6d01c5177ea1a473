package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.hypercalld.iommu.vtd.Habits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The judge notices every kind of fact that a recording gets wrong. */
final class FalsifiedRecordingsTest {
  private static final int MUTANTS = 120;

  /**
   * A request that gets past a check that the recorded implementation lacks (F4, F5) may come to
   * any fault, and where another one is pending software sees nothing of it.
   */
  private static final List<String> UNOBSERVABLE =
      List.of("-reserved-not-checked", "xd-without-nxe-accepted");

  private static final List<String> LINES = Corpus.lines();

  @ParameterizedTest
  @EnumSource(RecordedFact.class)
  void falseFact_isFound(RecordedFact fact) {
    RandomGenerator random =
        RandomGeneratorFactory.of("L64X128MixRandom").create(fact.name().hashCode());
    List<String> lines = LINES.stream().filter(fact::mayBeIn).toList();
    List<String> survivors = new ArrayList<>();
    for (int mutant = 0; mutant < MUTANTS; ) {
      ObjectNode recorded = Corpus.parse(lines.get(random.nextInt(lines.size())));
      Optional<String> change = fact.falsify(recorded, random);
      if (change.isPresent()) {
        mutant++;
        Report report = Corpus.quiet();
        CaseRun.run(CaseReader.read(recorded), Habits.LENIENT, report);
        if (report.failed() == 0) {
          survivors.add(recorded.get("id").asText() + " " + change.get());
        }
      }
    }

    assertThat(survivors).allMatch(survivor -> UNOBSERVABLE.stream().anyMatch(survivor::endsWith));
    assertThat(survivors.size()).isLessThan(MUTANTS / 20);
  }
}
