package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S1-Q2 to S1-Q5: what guests' tables cost, and where their devices go. */
final class ViommuExperimentsTest {
  private static DaemonUnderTest daemon;

  @BeforeAll
  static void start() {
    daemon = DaemonUnderTest.on(PlatformSource.named("two-socket"));
  }

  @AfterAll
  static void stop() {
    daemon.close();
  }

  private static JsonNode ask(String experiment, String question) {
    DaemonUnderTest.Answer answer =
        daemon.post("/v1/experiments/" + experiment, question.replace('\'', '"'));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  private static List<String> rows(JsonNode list, String... pointers) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(
            row ->
                String.join(
                    " ", List.of(pointers).stream().map(each -> row.at(each).asText()).toList()))
        .toList();
  }

  /** S1-Q2: a shadow for each table of the guest's; the P2M is shared by all other devices. */
  @Test
  void modes_tellTablesAndRoots() {
    JsonNode rows = ask("viommu-modes", "{}").get("rows");

    assertThat(
            rows(
                rows,
                "/mode",
                "/sharesP2m",
                "/mirrorTables",
                "/shadowTables",
                "/devices/0/table",
                "/devices/1/table",
                "/reached",
                "/logDirty"))
        .containsExactly(
            "default true 0 0 ept ept true EINVAL",
            "passthrough true 0 0 ept ept true EINVAL",
            "shadow true 0 4 shadow ept true EINVAL",
            "shadow-shared true 0 4 shadow shadow true EINVAL",
            "shadow-two true 0 8 shadow shadow true EINVAL",
            "nested true 0 0 ept ept true EINVAL",
            "default false 2 0 mirror mirror true EINVAL",
            "passthrough false 2 0 mirror mirror true EINVAL",
            "shadow false 2 4 shadow mirror true EINVAL",
            "shadow-shared false 2 4 shadow shadow true EINVAL",
            "shadow-two false 2 8 shadow shadow true EINVAL",
            "nested false 2 0 mirror mirror true EINVAL");
    String ept = rows.at("/0/devices/0/root").asText();
    assertThat(rows.at("/2/devices/1/root").asText()).isEqualTo(ept);
    assertThat(rows.at("/3/devices/0/root")).isEqualTo(rows.at("/3/devices/1/root"));
    assertThat(rows.at("/4/devices/0/root")).isNotEqualTo(rows.at("/4/devices/1/root"));
  }

  /** S1-Q6: 4 levels on 4 are 24 entries; larger pages below save one for each level. */
  @Test
  void nestedWalks_readUpTo24Entries() {
    JsonNode rows = ask("nested-walks", "{'explained':true}").get("rows");

    assertThat(rows(rows, "/stage2Leaf", "/miss", "/again"))
        .containsExactly("4096 24 0", "2097152 19 0", "1073741824 14 0");
    assertThat(rows.at("/0/tables")).hasSize(24);
    assertThat(rows.at("/1/tables")).hasSize(19);
    assertThat(rows.at("/2/tables")).hasSize(14);
    // The very first one reads root, context, directory and PASID entries, too.
    assertThat(rows(rows, "/cold")).containsExactly("28", "23", "18");
  }

  /** S1-Q3: from the domain's table to the shadow and back, whatever the guest does. */
  @Test
  void timeline_followsTheContextEntry() {
    JsonNode moments = ask("viommu-timeline", "{}").get("moments");

    assertThat(rows(moments, "/after", "/context/mode", "/context/table"))
        .containsExactly(
            "created null host",
            "device assigned default ept",
            "enabled, without context entry shadow shadow",
            "context entry written shadow shadow",
            "context invalidated shadow shadow",
            "table switched shadow shadow",
            "passed through passthrough ept",
            "back to a table shadow shadow",
            "disabled default ept",
            "enabled again shadow shadow",
            "device reset shadow shadow",
            "virtual IOMMU destroyed null ept",
            "device deassigned null none",
            "domain destroyed null none");
    String first = moments.at("/1/physicalAddress").asText();
    assertThat(moments.at("/2/physicalAddress").asText()).isEqualTo("READ_NOT_PERMITTED");
    assertThat(moments.at("/3/virtualAddress").asText()).isEqualTo("READ_NOT_PERMITTED");
    assertThat(moments.at("/4/virtualAddress").asText()).isEqualTo(first);
    assertThat(moments.at("/5/virtualAddress").asText()).isNotEqualTo(first).startsWith("0x");
    assertThat(moments.at("/12/physicalAddress").asText()).isEqualTo("CONTEXT_NOT_PRESENT");
  }

  @Test
  void timeline_withoutCachingMode_findsTheContextEntryByAFault() {
    JsonNode moments = ask("viommu-timeline", "{'cachingMode':false}").get("moments");

    // The read that fails has the entry found; the next one passes.
    assertThat(moments.at("/3/virtualAddress").asText()).isEqualTo("READ_NOT_PERMITTED");
    assertThat(moments.at("/4/virtualAddress").asText()).startsWith("0x");
  }

  /** S1-Q4: what remembered translations save depends on how many there are, and on locality. */
  @Test
  void translateCalls_fallWithEntriesAndLocality() {
    JsonNode rows = ask("translate-calls", "{'dmas':4000,'locality':[0,90,100]}").get("rows");

    assertThat(rows(rows, "/entries", "/locality", "/calls", "/hits", "/done"))
        .contains(
            "0 0 4000 0 4000",
            "0 90 4000 0 4000",
            "0 100 4000 0 4000",
            "64 100 1 3999 4000",
            "1024 100 1 3999 4000");
    assertThat(rows(rows, "/callsPer1000"))
        .satisfies(
            per -> {
              assertThat(Integer.parseInt(per.get(3))).isBetween(950, 990);
              assertThat(Integer.parseInt(per.get(4))).isBetween(80, 120);
              assertThat(Integer.parseInt(per.get(6))).isLessThan(700);
            });
  }

  /** S1-Q5: what is named decides; caching mode costs more and loses nothing. */
  @Test
  void shadowCosts_areThoseOfWhatIsNamed() {
    JsonNode rows =
        ask("shadow-costs", "{'maps':64,'batch':32,'present':'4MiB','scopes':['page','domain']}")
            .get("rows");

    assertThat(rows(rows, "/policy", "/scope", "/exits", "/syncs", "/entryReads", "/lost"))
        .containsExactly(
            "strict page 2 128 384 64",
            "strict domain 2 128 196800 64",
            "strict-cm page 4 128 384 0",
            "strict-cm domain 4 128 393216 0",
            "lazy page 2 66 260 64",
            "lazy domain 2 66 6336 64",
            "lazy-cm page 4 4 136 0",
            "lazy-cm domain 4 4 12288 0");
    // A page: one entry of each level. A domain: the top table, two below it, and all leaves.
    assertThat(rows(rows, "/once/entryReads", "/once/entryWrites"))
        .startsWith("3 0", "3072 0")
        .hasSize(8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "viommu-modes",
        "viommu-timeline",
        "translate-calls",
        "shadow-costs",
        "nested-walks"
      })
  void answers_areTheSameEachTime_andLeaveTheServedMachineAlone(String experiment) {
    String before = daemon.digest();

    assertThat(ask(experiment, "{}")).isEqualTo(ask(experiment, "{}"));
    assertThat(daemon.digest()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "viommu-modes {'memory':'1MiB'}",
        "translate-calls {'dmas':0}",
        "translate-calls {'pages':4096}",
        "translate-calls {'entries':[-1]}",
        "translate-calls {'locality':[101]}",
        "shadow-costs {'maps':0}",
        "shadow-costs {'batch':257}",
        "shadow-costs {'present':'5GiB'}",
      })
  void questionThatMakesNoExperiment_isRefused(String line) {
    String[] parts = line.split(" ", 2);

    assertThat(daemon.post("/v1/experiments/" + parts[0], parts[1].replace('\'', '"')).status())
        .isEqualTo(400);
  }
}
