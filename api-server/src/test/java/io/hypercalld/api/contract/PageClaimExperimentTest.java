package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The second document's questions, answered by trying: Q1 to Q6, in a guest of 4 GiB. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PageClaimExperimentTest {
  private static final String PATH = "/v1/experiments/ioreq-pages";
  private static final long FRAMES = 1 << 20;
  private static final long TABLE_PAGES = 2048 + 4;

  private final DaemonUnderTest daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));
  private JsonNode answer = com.fasterxml.jackson.databind.node.NullNode.getInstance();

  @BeforeAll
  void ask() {
    Answer asked = daemon.post(PATH, "{\"contexts\":1,\"writes\":1000}");
    assertThat(asked.status()).as("%s", asked.body()).isEqualTo(200);
    answer = asked.body();
  }

  @AfterAll
  void stop() {
    daemon.close();
  }

  private JsonNode phase(String unclaimed, String update, String stage) {
    for (JsonNode row : answer.get("phases")) {
      if (row.get("unclaimed").asText().equals(unclaimed)
          && row.get("update").asText().equals(update)
          && row.get("stage").asText().equals(stage)) {
        return row;
      }
    }
    throw new AssertionError("no row of " + unclaimed + ", " + update + ", " + stage);
  }

  private long cost(String unclaimed, String update, String stage, String member) {
    return phase(unclaimed, update, stage).at("/cost/" + member).asLong();
  }

  private List<String> rows(String table, String... pointers) {
    List<String> texts = new ArrayList<>();
    for (JsonNode row : answer.get(table)) {
      List<String> cells = new ArrayList<>();
      for (String pointer : pointers) {
        cells.add(row.at("/" + pointer).asText());
      }
      texts.add(String.join(" ", cells));
    }
    return texts;
  }

  @Test
  void claim_readsAllOfMemoryOnlyWhereItIsEager() {
    for (String unclaimed : List.of("refuse", "ram")) {
      assertThat(cost(unclaimed, "eager", "claim", "leafReads")).isEqualTo(FRAMES);
      assertThat(cost(unclaimed, "lazy", "claim", "leafReads")).isZero();
      assertThat(cost(unclaimed, "lazy", "claim", "entryWrites")).isLessThanOrEqualTo(512);
      assertThat(cost(unclaimed, "protect-at-tag", "claim", "leafReads")).isZero();
      assertThat(cost(unclaimed, "protect-at-tag", "claim", "entryWrites")).isZero();
    }
    assertThat(cost("refuse", "lazy", "claim", "entryWrites")).isZero();
    assertThat(cost("refuse", "indexed", "claim", "leafReads")).isZero();
    assertThat(cost("ram", "indexed", "claim", "leafReads")).isEqualTo(TABLE_PAGES);
    assertThat(cost("ram", "indexed", "claim", "entryWrites")).isEqualTo(TABLE_PAGES);
  }

  @Test
  void release_costsByTheHighestPageOrByThePages() {
    assertThat(rows("placements", "update", "pages", "cost/leafReads", "cost/steps"))
        .containsExactly(
            "lazy lowest 4608 9",
            "lazy highest 2096640 4095",
            "eager lowest 2304 9",
            "eager highest 1048576 4096",
            "indexed lowest 2052 9",
            "indexed highest 2052 9",
            "protect-at-tag lowest 2052 9",
            "protect-at-tag highest 2052 9");
  }

  @Test
  void write_isTheServersAndNoneIsLost() {
    for (JsonNode row : answer.get("phases")) {
      boolean writes = row.get("stage").asText().equals("write");
      assertThat(row.get("requests").asLong()).isEqualTo(writes ? 1000 : 0);
      assertThat(row.get("lostWrites").asLong()).isZero();
    }
    assertThat(answer.get("sameMemory").asBoolean()).isTrue();
  }

  @Test
  void tagging_flushesForEachPageHoweverManyACallNames() {
    assertThat(
            rows(
                "batches",
                "order",
                "perCall",
                "cost/flushes",
                "cost/hypercalls",
                "cost/steps",
                "interrupts/1/sent",
                "changingCalls",
                "interrupts/1/sentPerCall"))
        .containsExactly(
            "anywhere 1 4104 4104 4104 32832 4104 32832",
            "in a row 1 4104 4104 4104 32832 4104 32832",
            "in a row 128 4104 34 34 32832 34 272",
            "in a row 2052 4104 2 18 32832 2 16");
  }

  @Test
  void ranges_endAtAnEighthOfATable_orAtTheFourth() {
    assertThat(
            rows(
                "ranges",
                "limit",
                "pages",
                "errno",
                "sharePermille",
                "failingContext",
                "callsPer1000Pages",
                "listStepsPer1000Writes"))
        .containsExactly(
            "256 256 ENOMEM 125 1 4000 128500",
            "8192 null null 4000 4 4000 4096500",
            "1048576 2052 null 1000 null 2000 1000");
  }

  @Test
  void writesWithoutAServer_areLostUnderOnePolicyAlone() {
    assertThat(rows("unclaimed", "policy", "tagging", "retries", "lostWrites", "lostBytes"))
        .containsExactly(
            "refuse EINVAL 0 0 0",
            "ram null 0 0 0",
            "discard null 0 1000 8000",
            "server destroyed null 1000 0 0");
  }

  @Test
  void allAccesses_askTheServerForReads_andTwiceForWhatReadsAndWrites() {
    assertThat(rows("accesses", "access", "readPercent", "readModifyWrites", "requests"))
        .containsExactly(
            "write 0 false 1000",
            "write 0 true 1000",
            "write 50 false 500",
            "write 50 true 500",
            "write 90 false 100",
            "write 90 true 100",
            "all 0 false 1000",
            "all 0 true 2000",
            "all 50 false 1000",
            "all 50 true 1500",
            "all 90 false 1000",
            "all 90 true 1100");
  }

  @Test
  void twoEmulators_needTwoTypes_andAFifthBit() {
    assertThat(rows("types", "types", "secondClaim", "typeBits"))
        .containsExactly("1 EBUSY 4", "2 null 5", "3 null 5", "4 null 5");
  }

  @Test
  void question_thatIsNone_isRefusedWithItsPlace() {
    assertThat(daemon.post(PATH, "{\"contexts\":9}").at("/pointer")).isEqualTo("/contexts");
    assertThat(daemon.post(PATH, "{\"memory\":\"3MiB\"}").at("/pointer")).isEqualTo("/memory");
    assertThat(daemon.post(PATH, "{\"writes\":0}").at("/pointer")).isEqualTo("/writes");
  }
}
