package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** S0-Q3: what breaks if a synchronisation point is missed. */
class SyncHookExperimentTest {
  @Test
  void syncHooks_eachMissed_leakOrFaultWhereTheyAreNeededAndNowhereElse() {
    try (DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"))) {
      String before = daemon.digest();

      DaemonUnderTest.Answer answer = daemon.post("/v1/experiments/sync-hooks", "{}");

      assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
      assertThat(rows(answer.body()))
          .containsExactly(
              // hook that is off: change, pages reached that are not the guest's, pages that fault
              "physmap-add: populate 0 1 [\"I9\"]",
              "physmap-add: swap 1 0 [\"I9\"]",
              "zap: remove 1 0 [\"I9\"]",
              "zap: swap 1 0 [\"I9\"]",
              "foreign-map: foreign-map 0 1 [\"I9\"]",
              "foreign-map: foreign-unmap 1 0 [\"I9\"]",
              "grant-map: grant-map 0 1 [\"I9\"]",
              "grant-map: grant-unmap 1 0 [\"I9\"]",
              "exchange: exchange 1 1 [\"I9\"]",
              "balloon: balloon 1 0 [\"I9\"]",
              "page-in-out: page-out 1 0 [\"I9\"]",
              "page-in-out: page-in 0 1 [\"I9\"]");
      assertThat(answer.body().get("trials")).hasSize(8);
      assertThat(answer.body().get("trials").get(0).get("effects")).hasSize(11);
      assertThat(daemon.digest()).isEqualTo(before);
    }
  }

  /** What anything came of: with every hook on nothing does. */
  private static List<String> rows(JsonNode answer) {
    List<String> rows = new ArrayList<>();
    for (JsonNode trial : answer.get("trials")) {
      for (JsonNode effect : trial.get("effects")) {
        if (effect.get("stale").asInt() + effect.get("faulting").asInt() > 0
            || !effect.get("violations").isEmpty()) {
          rows.add(
              "%s: %s %d %d %s"
                  .formatted(
                      trial.path("without").asText("none"),
                      effect.get("change").asText(),
                      effect.get("stale").asInt(),
                      effect.get("faulting").asInt(),
                      effect.get("violations")));
        }
      }
    }
    return rows;
  }
}
