package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.Habits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The judge notices what a capture gets wrong, and counts what it compares. */
final class FalsifiedCaptureTest {
  @TempDir private Path directory;

  private Corpus.Said judged() {
    Corpus.Said said = new Corpus.Said();
    Conformance.run(List.of(directory), Habits.LENIENT, new Report(said.out));
    return said;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ready1.translations.jsonl.gz | "gpa": ?"(0x[0-9a-f]+)"                          | ready1
          ready2.mappings.jsonl.gz     | "gpa": ?"(0x[0-9a-f]+)"                          | ready2
          ready3.mappings.jsonl.gz     | "iova": ?"(0x[0-9a-f]+)"                         | ready3
          events.jsonl.gz              | "irq", ?"0x[0-9a-f]+", ?"0x[0-9a-f]+", ?"(0x[0-9a-f]+)" | events
          events.jsonl.gz              | "x", ?"0x[0-9a-f]+", ?"0x[0-9a-f]+", ?"(0x[0-9a-f]+)"   | events
          events.jsonl.gz              | "fill", ?"0x[0-9a-f]+", ?"0x[0-9a-f]+", ?"(0x[0-9a-f]+)" | events
          events.jsonl.gz              | "dmar_enable", ?"(0x[0-9a-f]+)"                  | events
          ready1.state.json.gz         | "0x90": ?"(0x[0-9a-f]+)"                         | events
          ready1.state.json.gz         | "rtaddr": ?"(0x[0-9a-f]+)"                       | ready1
          ready1.state.json.gz         | "gsts": ?"(0x[0-9a-f]+)"                         | ready1
          """)
  void falseFact_isFoundInItsPart(String file, String place, String part) throws IOException {
    CopiedCapture.into(directory).falsify(file, place);

    assertThat(judged().failures()).anyMatch(line -> line.contains(" " + part + " "));
  }

  @Test
  void capture_saysHowMuchItComparedOfEachKind() throws IOException {
    CopiedCapture.into(directory);

    assertThat(judged().lines())
        .anyMatch(
            line ->
                line.endsWith(
                    " events: 1948 register writes, 3862 descriptors, 4116 interrupts,"
                        + " 12817 translations, 117 words of registers"))
        .anyMatch(
            line ->
                line.endsWith(
                    " ready1: 18 translations and 4282 mappings by 12882 requests,"
                        + " 16 interrupt entries"))
        .last()
        .isEqualTo("4 passed, 0 failed, 0 skipped");
  }
}
