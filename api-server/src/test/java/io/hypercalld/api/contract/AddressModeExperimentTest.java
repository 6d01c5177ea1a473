package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The questions of the document on address modes, answered by trying: Q1 to Q6. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AddressModeExperimentTest {
  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));

  @AfterAll
  void stop() {
    daemon.close();
  }

  private JsonNode ask(String question) {
    Answer answer =
        daemon.post("/v1/experiments/address-modes", "{" + question.replace('\'', '"') + "}");
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static Map<String, String> verdicts(JsonNode answer) {
    Map<String, String> verdicts = new TreeMap<>();
    for (JsonNode row : answer.get("drivers")) {
      verdicts.put(
          row.get("mode").asText() + " " + row.get("driver").asText(), row.get("verdict").asText());
    }
    return verdicts;
  }

  @Test
  void matrix_saysWhoIsRight_whoHitsWhom_andWhatStops() {
    JsonNode answer = ask("'study':'matrix','seed':7");
    Map<String, String> verdicts = verdicts(answer);

    assertThat(verdicts).hasSize(36);
    for (String mode : List.of("p2m", "identity", "vp", "vp-iommu")) {
      for (String driver : List.of("disk", "nic", "blkback", "netback-copy")) {
        assertThat(verdicts).containsEntry(mode + " " + driver, "right-frame");
      }
    }
    assertThat(verdicts)
        .containsEntry("p2m netback-flip", "right-frame")
        .containsEntry("identity netback-flip", "refused")
        .containsEntry("vp netback-flip", "refused")
        .containsEntry("vp-iommu netback-flip", "refused")
        .containsEntry("p2m ide", "wrong-frame")
        .containsEntry("identity ide", "right-frame")
        .containsEntry("vp ide", "wrong-frame")
        .containsEntry("vp-iommu ide", "right-frame")
        .containsEntry("identity gart", "right-frame")
        .containsEntry("vp gart", "wrong-frame")
        .containsEntry("vp-iommu gart", "fault");
    for (JsonNode row : answer.get("drivers")) {
      boolean hits = row.get("verdict").asText().equals("wrong-frame");
      assertThat(row.get("victims").isEmpty()).isEqualTo(!hits);
      if (row.get("mode").asText().equals("vp-iommu")) {
        assertThat(row.get("victims")).isEmpty();
      }
      if (row.get("driver").asText().equals("ide") && hits) {
        assertThat(row.at("/victims/0").asInt()).isEqualTo(2);
      }
    }
  }

  @Test
  void porting_namesTheFirstPrimitiveThatFails() {
    List<String> failures = new ArrayList<>();
    for (JsonNode row : ask("'study':'porting'").get("drivers")) {
      if (row.get("mode").asText().equals("identity") && !row.get("failure").isNull()) {
        failures.add(
            row.get("driver").asText() + " " + row.get("failure").asText().split(":", -1)[0]);
      }
    }

    assertThat(failures)
        .containsExactly("blkback set_phys_to_machine", "netback-flip gnttab_transfer");
  }

  @Test
  void hypercalls_areNoneOneOrTwoAPage() {
    List<String> prices = new ArrayList<>();
    for (JsonNode row : ask("'study':'hypercalls','requests':50").get("prices")) {
      prices.add(
          "%s %s %s %s"
              .formatted(
                  row.get("mode").asText(),
                  row.get("maps").asText(),
                  row.get("unmaps").asText(),
                  row.get("traps").asText()));
    }

    assertThat(prices)
        .containsExactly(
            "p2m 0 0 0", "identity 0 0 0", "vp 550 0 550", "vp 550 0 50", "vp-iommu 550 550 1100");
  }

  @Test
  void interception_countsWhatNobodyMapped() {
    for (JsonNode row : ask("'study':'interception'").get("drivers")) {
      boolean old = List.of("ide", "gart").contains(row.get("driver").asText());
      assertThat(row.get("unmapped").asInt())
          .as("%s", row)
          .isEqualTo(old ? row.get("accesses").asInt() : 0);
    }
  }

  /** 2 GiB, of which 64 MiB are the driver domain's own, beside its table in mode p2m. */
  @Test
  void isolation_isTheUnitsAlone() {
    for (JsonNode row : ask("'study':'isolation'").get("reaches")) {
      assertThat(row.get("probed").asInt()).isEqualTo(2 << 18);
      long reached =
          Stream.of("own", "foreign", "hypervisor", "nobody")
              .mapToLong(whose -> row.get(whose).asLong())
              .sum();
      if (row.get("mode").asText().equals("vp-iommu")) {
        assertThat(row.get("own").asInt()).isEqualTo(row.get("mapped").asInt()).isEqualTo(4);
        assertThat(reached).isEqualTo(4);
      } else {
        assertThat(reached).isEqualTo(row.get("probed").asLong());
        int table = row.get("mode").asText().equals("p2m") ? 32 : 0;
        assertThat(row.get("own").asInt()).isEqualTo(16384 + table);
        assertThat(row.get("foreign").asLong()).isGreaterThan(4096);
        assertThat(row.get("hypervisor").asLong()).isPositive();
        assertThat(row.get("nobody").asLong()).isPositive();
      }
    }
  }

  @Test
  void bouncing_endsWhereThePoolDoes_andIsNoneBehindAUnit() {
    for (JsonNode row : ask("'study':'bouncing'").get("bounces")) {
      String mode = row.get("mode").asText();
      boolean contiguous = row.get("contiguous").asBoolean();
      int mask = row.get("maskBits").asInt();
      if (mode.equals("vp-iommu")) {
        assertThat(row.get("bytes").asInt()).isZero();
        assertThat(row.get("failure").isNull()).isTrue();
      } else if (!mode.equals("identity") && mask == 64) {
        assertThat(row.get("bytes").asInt() == 0).isEqualTo(contiguous);
        assertThat(row.get("failure").isNull()).isEqualTo(contiguous);
      } else if (!mode.equals("identity")) {
        assertThat(row.get("bytes").asInt()).isPositive();
        assertThat(row.get("reason").asText()).isEqualTo("ENOMEM");
        assertThat(row.get("highWater").asInt()).isBetween(1, 1024);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"matrix", "hypercalls", "porting", "bouncing", "interception", "isolation"})
  void answer_isTheSame_whereTheSeedIs(String study) {
    String question = "'study':'%s','requests':5,'seed':".formatted(study);

    assertThat(ask(question + 3)).isEqualTo(ask(question + 3));
  }

  /** Where buffers begin is by the seed, and so is what of them crosses pages. */
  @Test
  void bouncing_isAnother_whereTheSeedIs() {
    assertThat(ask("'study':'bouncing','seed':4")).isNotEqualTo(ask("'study':'bouncing','seed':5"));
  }

  @Test
  void table_isForPeople() {
    String text = daemon.text("/v1/experiments/address-modes", "{\"study\":\"porting\"}");

    assertThat(text).startsWith("mode").contains("set_phys_to_machine").contains("\nvp-iommu");
  }
}
