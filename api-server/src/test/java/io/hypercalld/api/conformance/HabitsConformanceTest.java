package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.Habits;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What each habit of a unit has to do with the recordings. The set of outcomes that a recording
 * allows knows stale context entries and translations and nothing else that hardware may remember:
 * a unit that uses one more freedom of the specification leaves the set in just those cases.
 */
final class HabitsConformanceTest {
  private static Habits lenientBut(String habit) {
    return new Habits(
        !habit.equals("recordsEveryFault"),
        habit.equals("remembersAbsence"),
        habit.equals("checksDomainOfDevice"),
        !habit.equals("keepsWhenSwitched"),
        !habit.equals("keepsHighAddressBits"),
        habit.equals("remembersTables"),
        habit.equals("checksPassThrough"),
        habit.equals("qualifiesReservedContexts"));
  }

  private static List<String> failures(Habits habits) {
    Corpus.Said said = new Corpus.Said();
    Report report = new Report(said.out);
    Corpus.cases().forEach(recorded -> CaseRun.run(recorded, habits, report));
    return said.failures();
  }

  @ParameterizedTest
  @CsvSource({
    // Registers need no habit at all: this silicon is held to a model of its own.
    "recordsEveryFault, 0",
    // With CAP.CM=1: D8, the recorded implementations remember nothing that is absent.
    "remembersAbsence, 9",
    // The domain-id of a device-selective invalidation is not the entry's: D8, all go anyhow.
    "checksDomainOfDevice, 8",
    // Translation is switched off and on: D8, that empties the caches.
    "keepsWhenSwitched, 2",
    // D9: RTADDR is cut to the host address width.
    "keepsHighAddressBits, 1",
    // D8: no paging-structure cache.
    "remembersTables, 3",
    // D10: AW of a pass-through entry has to be supported, not the largest.
    "checksPassThrough, 1",
    // FPD and reserved bits in one context entry: revisions differ.
    "qualifiesReservedContexts, 1",
  })
  void oneStrictHabit_leavesTheAllowedSetInTheseCasesOnly(String habit, int cases) {
    assertThat(failures(lenientBut(habit)))
        .hasSize(cases)
        .allMatch(line -> line.matches(".* (outcome|interrupt|FSTS): expected .*"));
  }

  @ParameterizedTest
  @CsvSource("25")
  void allStrictHabitsTogether_leaveItInNoOtherCases(int cases) {
    assertThat(failures(Habits.STRICT)).hasSize(cases);
  }
}
