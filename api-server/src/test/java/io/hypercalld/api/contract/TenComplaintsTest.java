package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What users of comparable daemons complain of, and that it does not happen here.
 *
 * @see "spec/conventions.md 4"
 */
final class TenComplaintsTest {
  private static final String DOMAIN = "{\"name\":\"guest\",\"type\":\"hvm\",\"memory\":\"4MiB\"}";
  private static final Pattern LABEL = Pattern.compile("[{,]([a-z_]+)=\"");
  private static final Set<String> LABELS =
      Set.of(
          "iommu",
          "domid",
          "sbdf",
          "server",
          "call",
          "op",
          "result",
          "type",
          "reason",
          "granularity",
          "state",
          "order",
          "level",
          "cache",
          "dir",
          "access",
          "invariant",
          "trigger",
          "le",
          "version",
          "java_version");

  private static ServedMachine machine;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
  }

  @AfterAll
  static void close() {
    machine.close();
  }

  @Test
  void complaint1_everyFailureIs500_noRefusalOfTheHypervisorIs() {
    assertThat(Arrays.stream(Errno.values()).filter(each -> Problems.of(each).status() == 500))
        .isEmpty();
  }

  @Test
  void complaint2_theSpecLies_pathsHaveTheMethodsThatAreDocumented() {
    JsonNode paths = machine.get("/openapi.json").json().get("paths");
    for (var path : paths.properties()) {
      if (path.getKey().startsWith("/v1/hypercalls/")) {
        continue;
      }
      Set<String> documented = new TreeSet<>();
      path.getValue()
          .fieldNames()
          .forEachRemaining(verb -> documented.add(verb.toUpperCase(Locale.ROOT)));
      documented.remove("PARAMETERS");
      if (documented.contains("GET")) {
        documented.add("HEAD");
      }

      Answer answer =
          machine.send(
              "OPTIONS",
              path.getKey().replace("{machine}", "default").replaceAll("\\{[^}]*}", "0"),
              "");

      assertThat(answer.status()).as(path.getKey()).isEqualTo(405);
      assertThat(new TreeSet<>(List.of(answer.header("Allow").split(", ", -1))))
          .as(path.getKey())
          .isEqualTo(documented);
    }
  }

  @Test
  void complaint3_theErrorIsNoJson_quotesInItAreEscaped() {
    Answer answer = machine.get("/v1/domains/%22a%22%5C%0A");

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.at("/detail")).contains("\"a\"\\");
    assertThat(answer.at("/requestId")).isEqualTo(answer.header("X-Request-Id"));
  }

  @Test
  void complaint4_silence_anUnknownPathIsToldWhatIsNear() {
    Answer answer = machine.get("/v1/domans");

    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.at("/hint")).contains("/v1/domains");
  }

  @Test
  void complaint5_notRepeatable_sameCommandsEndInTheSameState() {
    List<String> digests = new ArrayList<>();
    List<String> uuids = new ArrayList<>();
    for (String name : List.of("first", "second")) {
      machine.post("/v1/machines", "{\"name\":\"%s\"}".formatted(name));
      String base = "/v1/machines/" + name;
      uuids.add(machine.post(base + "/domains", DOMAIN).at("/uuid"));
      digests.add(machine.get(base + "/_sim/digest").at("/digest"));
      machine.delete(base);
    }

    assertThat(digests.getFirst()).isNotEmpty().isEqualTo(digests.getLast());
    assertThat(uuids.getFirst()).isNotEmpty().isEqualTo(uuids.getLast());
  }

  @Test
  void complaint6_crashesUnderConcurrency_manyCallersLeaveItWhole() {
    machine.post("/v1/machines", "{\"name\":\"busy\"}");
    String base = "/v1/machines/busy";

    List<Integer> statuses =
        IntStream.range(0, 200)
            .parallel()
            .mapToObj(
                i ->
                    i % 3 == 0
                        ? machine.post(base + "/domains", DOMAIN.replace("guest", "g" + i)).status()
                        : machine.delete(base + "/domains/" + i % 30).status())
            .toList();

    assertThat(statuses).doesNotContain(500).contains(201);
    assertThat(machine.get(base + "/_sim/invariants").json().at("/violations")).isEmpty();
    machine.delete(base);
  }

  @Test
  void complaint7_gapsFoundLate_whatIsListedAsMissingSaysSo() {
    int missing = 0;
    for (JsonNode each : machine.get("/v1/hypercalls").json().at("/items")) {
      if (each.at("/level").asText().equals("none")) {
        missing++;
        String name = each.at("/call").asText() + "/" + each.at("/op").asText();
        assertThat(machine.call(name, "{}").status()).as(name).isEqualTo(501);
      }
    }
    assertThat(missing).isPositive();
  }

  @Test
  void complaint8_rugPull_nothingIsFetchedFromElsewhere() {
    assertThat(machine.get("/docs").text()).doesNotContainPattern("(src|href)=\"?(https?:)?//");
  }

  @Test
  void complaint9_resetIsNone_itEndsWhereTheMachineBegan() {
    machine.post("/v1/machines", "{\"name\":\"anew\"}");
    String base = "/v1/machines/anew";
    String start = machine.get(base + "/_sim/digest").at("/digest");
    machine.post(base + "/domains", DOMAIN);
    machine.put(base + "/devices/0000:03:10.0/assignment", "{\"domain\":1}");
    machine.post(base + "/_sim/clock", "{\"advanceNanos\":5}");

    machine.post(base + "/_sim/reset", "{}");

    assertThat(machine.get(base + "/_sim/digest").at("/digest")).isEqualTo(start);
    assertThat(machine.get(base + "/metrics").text()).contains("hv_domains_created_total 1\n");
    machine.delete(base);
  }

  @Test
  void complaint10_metricsForNobody_eachIsExplainedAndHasFewLabels() {
    String text = machine.get("/v1/machines/default/metrics").text();
    Set<String> explained = new TreeSet<>();
    text.lines()
        .filter(line -> line.startsWith("# HELP hv_"))
        .forEach(line -> explained.add(line.split(" ", -1)[2].replaceFirst("_total$", "")));
    for (String line : text.lines().filter(each -> each.startsWith("hv_")).toList()) {
      String name = line.split("[{ ]", -1)[0].replaceFirst("_(total|bucket|sum|count|info)$", "");
      assertThat(explained)
          .as(line)
          .anyMatch(known -> known.replaceFirst("_info$", "").equals(name));
      Matcher label = LABEL.matcher(line);
      while (label.find()) {
        assertThat(LABELS).as(line).contains(label.group(1));
      }
    }
    assertThat(explained).hasSizeGreaterThan(20);
  }

  @Test
  void also_stateIsHidden_aPausedDomainSaysSo_andEveryResourceHasATag() {
    machine.post("/v1/machines", "{\"name\":\"seen\"}");
    String domain = machine.post("/v1/machines/seen/domains", DOMAIN).header("Location");
    machine.post(domain + "/actions/pause", "");

    assertThat(machine.get(domain).at("/state")).isEqualTo("paused");
    for (String path :
        List.of("/v1", "/v1/machine", "/v1/domains", "/v1/devices", "/v1/iommus/0", domain)) {
      assertThat(machine.get(path).header("ETag")).as(path).isNotEmpty();
    }
    machine.delete("/v1/machines/seen");
  }

  @Test
  void also_failureWithoutAMessage_adviceIsInIt() {
    Answer answer = machine.put("/v1/devices/0000:7f:00.0/assignment", "{\"domain\":0}");

    assertThat(answer.at("/detail")).contains("0000:7f:00.0");
  }
}
