package io.hypercalld.api.readme;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.readme.Transcript.Step;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TranscriptTest {

  @Test
  void of_consoleBlocks_takesEachCommandWithItsOutput() {
    var transcript =
        Transcript.of(
            """
            Text, then
            ```console
            $ ./hypercalld
            {"event":"ready","pid":1}
            $ curl -d '{}' \\
                localhost:7780/v1
            one
            two
            ```
            ```json
            $ not a command
            ```
            ```sh
            mvn verify
            ```
            """);

    assertThat(transcript.steps())
        .containsExactly(
            new Step("./hypercalld", "{\"event\":\"ready\",\"pid\":1}\n"),
            new Step("curl -d '{}' \\\n    localhost:7780/v1", "one\ntwo\n"));
    assertThat(transcript.setUp()).containsExactly("mvn verify");
  }

  @Test
  void startsDaemon_onlyWhereTheReadyLineIsShown() {
    assertThat(new Step("./hypercalld", "{\"event\":\"ready\"}\n").startsDaemon()).isTrue();
    assertThat(new Step("./hypercalld --check-config", "fine\n").startsDaemon()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "a b,            a b,           true",
    "a b,            a  b,          false",
    "a.c,            abc,           false",
    "a ... c,        a b c,         true",
    "a ... c,        a b,           false",
    "a|...|d,        a|b|c|d,       true",
    "a|...|d,        a|d,           true",
    "a|...|d,        a|b,           false",
    "{\"pid\":1},    {\"pid\":4711}, true",
    "{\"ret\":1},    {\"ret\":4711}, false",
    "a,              a|b,           false"
  })
  void shows_ellipsisAndFleetingNumbers_matchAnythingAndNothingElseDoes(
      String shown, String actual, boolean same) {
    var step = new Step("echo", shown.replace('|', '\n') + "\n");

    assertThat(step.shows(actual.replace('|', '\n'))).isEqualTo(same);
  }

  @Test
  void shows_outputWithoutALineEnd_isTheSame() {
    assertThat(new Step("curl", "{}\n").shows("{}")).isTrue();
    assertThat(new Step("true", "").shows("")).isTrue();
  }
}
