package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Recorded hardware and recorded drivers, all of them, on this silicon. */
final class RecordingsConformanceTest {
  /** A capture is its trace and three snapshots. */
  private static final int CASES_OF_A_CAPTURE = 4;

  private static final List<String> REASONS_TO_SKIP =
      List.of("unobservable in the recording", "the trace lacks", "the trace ends at");

  private static Path resource(String name) {
    try {
      URL url = RecordingsConformanceTest.class.getResource("/conformance/" + name);
      return Path.of(Objects.requireNonNull(url, name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static Stream<Path> captures() throws IOException {
    try (Stream<Path> directories = Files.list(resource("captures"))) {
      return directories.sorted().toList().stream();
    }
  }

  private static void assertConforms(Path recording, int cases) {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    Report report =
        Conformance.run(
            List.of(recording), false, new PrintStream(lines, false, StandardCharsets.UTF_8));

    String output = lines.toString(StandardCharsets.UTF_8);
    assertThat(output.lines().filter(line -> line.startsWith("FAIL"))).isEmpty();
    assertThat(report.passed()).isEqualTo(cases);
    assertThat(output.lines().filter(line -> line.startsWith("skip")))
        .hasSize((int) report.skipped())
        .allMatch(line -> REASONS_TO_SKIP.stream().anyMatch(line::contains));
  }

  @ParameterizedTest
  @CsvSource({
    "directed, 515",
    "fuzz_dma, 500",
    "fuzz_ir, 75",
    "fuzz_ir_newer, 75",
    "scalable_directed, 429",
    "scalable_fuzz_first_stage, 200",
    "scalable_fuzz_second_stage, 60",
  })
  void corpus_everyCase_endsAsTheSpecificationAllows(String name, int cases) {
    assertConforms(resource("corpus/" + name + ".jsonl.gz"), cases);
  }

  @ParameterizedTest
  @MethodSource("captures")
  void capture_everyWriteTranslationAndInterrupt_comesOutAsRecorded(Path directory) {
    assertConforms(directory, CASES_OF_A_CAPTURE);
  }
}
