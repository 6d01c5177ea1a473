package io.hypercalld.api.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.hypercalld.api.launch.LaunchedDaemon;
import io.hypercalld.api.readme.Transcript.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** README.md says what happens. */
final class ReadmeIT {
  private final Transcript readme;

  ReadmeIT() throws IOException {
    readme = Transcript.of(Files.readString(LaunchedDaemon.home().resolve("README.md")));
  }

  @Test
  void setUp_commandsThatAreNotRunHere_areTheBuildAndTheStart() {
    assertThat(readme.setUp())
        .allMatch(line -> line.matches("(\\./hypercalld|mvn (-Pbench )?verify)\\s*(#.*)?"));
  }

  @TestFactory
  Stream<DynamicTest> command_run_showsWhatTheReadmeShows(@TempDir Path scratch)
      throws IOException {
    ReadmeSession session = new ReadmeSession(scratch);
    return readme.steps().stream()
        .map(step -> dynamicTest(step.command(), () -> compare(session, step)))
        .onClose(session::close);
  }

  private static void compare(ReadmeSession session, Step step) throws Exception {
    String actual = session.run(step);

    if (!step.shows(actual)) {
      assertThat(actual).as("$ %s", step.command()).isEqualTo(step.output());
    }
  }
}
