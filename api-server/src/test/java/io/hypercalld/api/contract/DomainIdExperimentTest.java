package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The fourth document's questions, answered by trying: Q1 to Q5. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DomainIdExperimentTest {
  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));
  private final Map<String, JsonNode> answers = new HashMap<>();

  @AfterAll
  void stop() {
    daemon.close();
  }

  private JsonNode on(String platform) {
    return answers.computeIfAbsent(platform, this::ask);
  }

  private JsonNode ask(String platform) {
    Answer answer =
        daemon.post("/v1/experiments/domain-ids", "{\"platform\":\"" + platform + "\"}");
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static List<String> rows(JsonNode rows, String... members) {
    List<String> texts = new ArrayList<>();
    for (JsonNode row : rows) {
      List<String> cells = new ArrayList<>();
      for (String member : members) {
        cells.add(row.get(member).asText());
      }
      texts.add(String.join(" ", cells));
    }
    return texts;
  }

  @Test
  void capacity_of256Ids_is254ForThePlatformOr512PerUnit() {
    assertThat(
            rows(
                on("four-nics").get("capacity"),
                "domainIds",
                "profile",
                "guests",
                "overflowing",
                "stoppedBy"))
        .containsExactly(
            "global as-shipped 512 258 null",
            "global fixed 254 0 EBUSY",
            "per-unit as-shipped 512 0 null",
            "per-unit fixed 512 0 null");
  }

  @Test
  void capacity_of64Ids_is62ForThePlatformOr252PerUnit() {
    assertThat(
            rows(
                on("four-nics-64").get("capacity"),
                "domainIds",
                "profile",
                "guests",
                "overflowing",
                "stoppedBy"))
        .containsExactly(
            "global as-shipped 512 450 null",
            "global fixed 62 0 EBUSY",
            "per-unit as-shipped 252 0 EFAULT",
            "per-unit fixed 252 0 EBUSY");
  }

  @Test
  void placement_overThreeUnits_isWorthBalancing() {
    String[] members = {"unitsPerGuest", "firstFit", "balanced"};
    assertThat(rows(on("four-nics").get("placement"), members))
        .containsExactly("1 512 512", "2 256 256", "3 128 170", "4 128 128");
    assertThat(rows(on("four-nics-64").get("placement"), members))
        .containsExactly("1 252 252", "2 126 126", "3 63 84", "4 63 63");
  }

  @Test
  void flush_costsACommandForEachUnit_andIn2009AScanOfItsMap() {
    String[] members = {"domainIds", "profile", "units", "commands", "scans"};
    // Ids 0 is dom0's, 1 to 10 are the neighbours', 11 the guest's: 12 slots are read.
    assertThat(rows(on("four-nics").get("flushes"), members))
        .containsExactly(
            "global as-shipped 1 1 0",
            "global as-shipped 2 2 0",
            "global as-shipped 3 3 0",
            "global as-shipped 4 4 0",
            "global fixed 1 1 0",
            "global fixed 2 2 0",
            "global fixed 3 3 0",
            "global fixed 4 4 0",
            "per-unit as-shipped 1 1 12",
            "per-unit as-shipped 2 2 24",
            "per-unit as-shipped 3 3 36",
            "per-unit as-shipped 4 4 48",
            "per-unit fixed 1 1 0",
            "per-unit fixed 2 2 0",
            "per-unit fixed 3 3 0",
            "per-unit fixed 4 4 0");
  }

  @Test
  void reuse_isSafeOnlyAfterTheFlush() {
    assertThat(
            rows(on("four-nics").get("reuse"), "flush", "sameId", "staleAtOnce", "staleInTheEnd"))
        .containsExactly(
            "before-free true false false", "after-free true true false", "never true true true");
    assertThat(on("four-nics").at("/reuse/2/violations").toString()).contains("I6");
    assertThat(on("four-nics").at("/reuse/0/violations")).isEmpty();
  }

  @Test
  void races_loseAnOwnerInTheShippedOrderOnly() {
    assertThat(rows(on("four-nics").get("races"), "profile", "orders"))
        .containsExactly("as-shipped 15", "fixed 15");
    assertThat(on("four-nics").at("/races/0/lost").asInt()).isPositive();
    assertThat(on("four-nics").at("/races/1/lost").asInt()).isZero();
  }

  @Test
  void releases_countHiddenDevicesAndSiblings_andIn2009NotTheFlush() {
    assertThat(rows(on("four-nics").get("releases"), "profile", "situation", "freed"))
        .containsExactly(
            "as-shipped a hidden device of dom0's stays false",
            "as-shipped another device behind the bridge stays false",
            "as-shipped both devices behind the bridge leave true",
            "as-shipped it has phantom functions true",
            "as-shipped its unit cannot be brought to forget it true",
            "fixed a hidden device of dom0's stays false",
            "fixed another device behind the bridge stays false",
            "fixed both devices behind the bridge leave true",
            "fixed it has phantom functions true",
            "fixed its unit cannot be brought to forget it false");
  }

  @Test
  void question_aboutAnotherPlatform_isRefused() {
    assertThat(daemon.post("/v1/experiments/domain-ids", "{\"platform\":\"two-socket\"}").status())
        .isEqualTo(400);
  }
}
