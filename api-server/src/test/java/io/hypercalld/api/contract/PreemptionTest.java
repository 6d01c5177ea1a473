package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Long hypercalls stop where they may be preempted, others run, and they go on. */
class PreemptionTest {
  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @BeforeEach
  void guestOfManyTables() {
    daemon.post("/v1/domains", "{\"memory\":\"64MiB\"}");
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void destruction_whenPreempted_goesOnStepByStepWithOthersInBetween() {
    daemon.post("/_sim/preempt", "{\"every\":1}");

    Answer stopped = daemon.hypercall("domctl", "destroydomain", "{'domain':1}");

    assertThat(stopped.status()).isEqualTo(503);
    assertThat(stopped.at("/errno")).isEqualTo("ERESTART");
    assertThat(stopped.at("/ret")).isEqualTo("-85");
    assertThat(stopped.at("/hint")).contains("/_sim/continuations/1");
    JsonNode pending = daemon.get("/_sim/continuations").body().get("items");
    assertThat(pending).hasSize(1);
    assertThat(pending.get(0).get("call").asText()).isEqualTo("domctl.destroydomain");
    assertThat(daemon.get("/v1/domains/1").at("/state")).isEqualTo("dying");

    int steps = 0;
    Answer next = stopped;
    while (next.status() == 503) {
      next = daemon.post("/_sim/continuations/1", "");
      steps++;
    }

    assertThat(next.at("/ret")).isEqualTo("0");
    assertThat(steps).isGreaterThan(1);
    assertThat(daemon.get("/v1/domains/1").status()).isEqualTo(404);
    assertThat(daemon.get("/_sim/continuations").body().get("items")).isEmpty();
  }

  @Test
  void sameCall_preemptedOrNot_endsInTheSameState() {
    String before = daemon.digest();
    daemon.delete("/v1/domains/1");
    String straight = daemon.digest();

    daemon.post("/v1/domains", "{\"memory\":\"64MiB\"}");
    assertThat(daemon.digest()).isNotEqualTo(straight);
    daemon.post("/_sim/preempt", "{\"every\":2}");
    daemon.delete("/v1/domains/1");
    daemon.post("/_sim/preempt", "{\"every\":0}");

    assertThat(daemon.digest()).isEqualTo(straight).isNotEqualTo(before);
  }

  @Test
  void numberOfNoCall_isRefused() {
    Answer unknown = daemon.post("/_sim/continuations/7", "");

    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.at("/detail")).isEqualTo("no call 7 is pending");
  }

  @Test
  void negativeSteps_areRefused() {
    assertThat(daemon.post("/_sim/preempt", "{\"every\":-1}").status()).isEqualTo(400);
  }
}
