package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.Habits;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
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

  private void copy() throws IOException {
    try (Stream<Path> files = Files.list(Corpus.resource("captures/linux-strict-aw39"))) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
  }

  /** Flips the lowest bit of the number in the middle one of all places that match. */
  private void falsify(String name, String pattern) throws IOException {
    Path file = directory.resolve(name);
    String text = new String(RecordedLines.bytes(file), StandardCharsets.UTF_8);
    List<MatchResult> places = Pattern.compile(pattern).matcher(text).results().toList();
    MatchResult place = places.get(places.size() / 2);
    long wrong = Hex.parse(place.group(1)) ^ 1L << Math.max(0, 12 * (place.group(1).length() / 6));
    String falsified =
        text.substring(0, place.start(1)) + Hex.of(wrong) + text.substring(place.end(1));
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(falsified.getBytes(StandardCharsets.UTF_8));
    }
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
    copy();
    falsify(file, place);

    assertThat(judged().failures()).anyMatch(line -> line.contains(" " + part + " "));
  }

  @Test
  void capture_saysHowMuchItComparedOfEachKind() throws IOException {
    copy();

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
