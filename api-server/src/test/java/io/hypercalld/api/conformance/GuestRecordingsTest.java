package io.hypercalld.api.conformance;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GuestRecordingsTest {
  static Stream<Path> captures() throws java.io.IOException {
    try (Stream<Path> directories = Files.list(Corpus.resource("captures"))) {
      return directories.sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("captures")
  void capture_inAGuest(Path directory) {
    long t = System.nanoTime();
    Report r = Conformance.runInGuests(List.of(directory), new Report(System.out, false));
    System.out.println((System.nanoTime() - t) / 1000000 + " ms " + directory + r.unreadable());
  }
}
