package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.FaultEffect;
import io.hypercalld.api.machine.FaultRule;
import io.hypercalld.api.machine.InjectFault;
import io.hypercalld.iommu.unit.Malfunction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Recorded drivers in a guest: their register writes and descriptors go to its virtual unit, their
 * tables lie in its memory, and what their devices reach they reach through shadows.
 */
final class GuestRecordingsConformanceTest {
  private static final List<String> REASONS_TO_SKIP =
      List.of("the trace lacks", "the trace ends at");

  @TempDir private Path directory;

  private static Corpus.Said judged(Path recording, CaptureRun.Hosts hosts) {
    Corpus.Said said = new Corpus.Said();
    Conformance.run(List.of(recording), hosts, new Report(said.out));
    return said;
  }

  /** Of legacy mode, and of scalable mode with tables of either level. */
  static Stream<Path> captures() throws IOException {
    return RecordingsConformanceTest.captures();
  }

  @ParameterizedTest
  @MethodSource("captures")
  void capture_inAGuest_everyTranslationIsComposedAndEveryInterruptAsRecorded(Path capture) {
    Corpus.Said said = judged(capture, GuestMachine::new);

    assertThat(said.failures()).isEmpty();
    assertThat(said.lines())
        .filteredOn(line -> line.startsWith("skip"))
        .allMatch(line -> REASONS_TO_SKIP.stream().anyMatch(line::contains));
    // The trace and three snapshots; no request was lost, as no shadow had anything to guess.
    assertThat(said.lines())
        .filteredOn(line -> line.contains("; by shadows: "))
        .hasSize(4)
        .allMatch(line -> line.contains(" 0 lost before they followed"));
    assertThat(said.lines().getLast()).startsWith("4 passed, 0 failed");
  }

  @Test
  void capture_inAGuest_isComparedAsOnSilicon() {
    assertThat(judged(Corpus.resource("captures/linux-strict-aw39"), GuestMachine::new).lines())
        .anyMatch(
            line ->
                line.contains(
                    " events: 1948 register writes, 3862 descriptors, 4116 interrupts,"
                        + " 12817 translations, 117 words of registers; by shadows: 12817 requests,"
                        + " 0 to no memory of the guest's"))
        .anyMatch(
            line ->
                line.contains(
                    " ready1: 18 translations and 4282 mappings by 12882 requests,"
                        + " 16 interrupt entries; by shadows: 12882 requests"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ready1.translations.jsonl.gz | "gpa": ?"(0x[0-9a-f]+)"                          | ready1
          ready3.mappings.jsonl.gz     | "iova": ?"(0x[0-9a-f]+)"                         | ready3
          events.jsonl.gz              | "irq", ?"0x[0-9a-f]+", ?"0x[0-9a-f]+", ?"(0x[0-9a-f]+)" | events
          events.jsonl.gz              | "x", ?"0x[0-9a-f]+", ?"0x[0-9a-f]+", ?"(0x[0-9a-f]+)"   | events
          ready1.state.json.gz         | "0x90": ?"(0x[0-9a-f]+)"                         | events
          """)
  void falseFact_isFoundInItsPart(String file, String place, String part) throws IOException {
    CopiedCapture.into(directory).falsify(file, place);

    assertThat(judged(directory, GuestMachine::new).failures())
        .anyMatch(line -> line.contains(" " + part + " "));
  }

  @Test
  void machineWhoseUnitsForgetNoTranslation_isFound() {
    CaptureRun.Hosts broken =
        (capabilities, requesters) -> {
          GuestMachine guest = new GuestMachine(capabilities, requesters);
          guest.machine().execute(new InjectFault(droppedInvalidations()));
          return guest;
        };

    assertThat(judged(Corpus.resource("captures/linux-strict-aw39"), broken).failures())
        .anyMatch(line -> line.contains(" events "));
  }

  private static FaultRule droppedInvalidations() {
    return new FaultRule(
        Optional.empty(),
        FaultRule.Match.commands(
            Optional.empty(), Optional.of(Malfunction.Command.IOTLB), Optional.empty()),
        FaultRule.When.times(Long.MAX_VALUE),
        FaultRule.Effect.of(FaultEffect.DROP_INVALIDATION));
  }
}
