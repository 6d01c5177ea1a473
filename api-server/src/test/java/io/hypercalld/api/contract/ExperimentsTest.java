package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Experiments answer with exact numbers, the same each time, and leave the machine alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExperimentsTest {
  private static final String SMALL =
      "{\"memory\":\"64MiB\",\"operations\":200,\"sweep\":\"64MiB\"}";

  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @AfterAll
  void stop() {
    daemon.close();
  }

  private Answer pageTables(String body) {
    return daemon.post("/v1/experiments/page-tables", body);
  }

  private static JsonNode mode(Answer answer, String name) {
    for (JsonNode row : answer.body().get("modes")) {
      if (row.get("mode").asText().equals(name)) {
        return row;
      }
    }
    throw new AssertionError("no mode " + name + " in " + answer.body());
  }

  @Test
  void pageTables_mapTheSameInEveryMode() {
    String before = daemon.digest();

    Answer answer = pageTables(SMALL);

    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    assertThat(answer.body().get("modes")).hasSize(5);
    assertThat(answer.at("/sameMappings")).isEqualTo("true");
    assertThat(daemon.digest()).isEqualTo(before);
  }

  @Test
  void pageTables_ofSmallLeaves_areWrittenFourTimesForEachChange() {
    JsonNode changes = mode(pageTables(SMALL), "separate-4K").get("changes");

    assertThat(changes.get("p2mWrites").asLong()).isEqualTo(200);
    assertThat(changes.get("iommuWrites").asLong()).isEqualTo(4 * 200);
    assertThat(changes.get("splits").asLong()).isZero();
    // Of the 200 changes 5 put back what was away: nobody remembers what was absent.
    assertThat(changes.get("flushes").asLong()).isEqualTo(195);
  }

  @Test
  void pageTables_ofLargeLeaves_areSplitAtTheFirstChangeInEach() {
    JsonNode changes = mode(pageTables(SMALL), "separate-2M").get("changes");

    assertThat(changes.get("splits").asLong()).isEqualTo(32);
    assertThat(changes.get("iommuWrites").asLong()).isEqualTo(32 * 512 + 4 * 200);
    assertThat(changes.get("flushes").asLong()).isEqualTo(195);
  }

  @Test
  void pageTables_thatAreShared_areWrittenOnceAndFlushedPageByPage() {
    JsonNode changes = mode(pageTables(SMALL), "shared-4K").get("changes");

    assertThat(changes.get("p2mWrites").asLong()).isEqualTo(4 * 200);
    assertThat(changes.get("iommuWrites").asLong()).isZero();
    assertThat(changes.get("flushes").asLong()).isEqualTo(4 * 195);
  }

  @Test
  void pageTables_sweep_insertsFourTimesAsManySmallTranslations() {
    Answer answer = pageTables(SMALL);

    assertThat(mode(answer, "separate-4K").at("/access/tlbInserts").asLong()).isEqualTo(4096);
    assertThat(mode(answer, "shared-4K").at("/access/tlbInserts").asLong()).isEqualTo(16384);
  }

  @Test
  void pageTables_askedTwice_answerTheSame() {
    assertThat(pageTables(SMALL).body()).isEqualTo(pageTables(SMALL).body());
  }

  @Test
  void pageTables_ofMemoryThatIsNoMultipleOfAPage_areRefused() {
    assertThat(pageTables("{\"memory\":\"6KiB\"}").status()).isEqualTo(400);
  }
}
