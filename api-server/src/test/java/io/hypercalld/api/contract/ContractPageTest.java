package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.contract.ContractPage.Promise;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The daemon keeps every name that the contract's page promises. */
final class ContractPageTest {
  private static final String NIC = "0000:03:10.0";

  /** What stands in the places of paths; the machine is made so that all of it is there. */
  private static final Map<String, String> PLACES =
      Map.of("{d}", "1", "{sbdf}", NIC, "{n}", "0", "{v}", "0", "{gfn}", "0x0", "{id}", "0");

  private static final Map<String, String> PARAMETERS =
      Map.ofEntries(
          Map.entry("maddr", "0x1000"),
          Map.entry("gpa", "0x1000"),
          Map.entry("length", "16"),
          Map.entry("sbdf", NIC),
          Map.entry("iova", "0x1000"),
          Map.entry("access", "read"),
          Map.entry("domid", "1"),
          Map.entry("address", "0xfee00000"),
          Map.entry("data", "0x31"),
          Map.entry("wait", "0s"));

  private static ContractPage page;
  private static ServedMachine machine;
  private static JsonNode document;

  @BeforeAll
  static void serve() {
    page = ContractPage.read();
    machine = new ServedMachine();
    document = machine.get("/openapi.json").json();
    done(
        machine.post(
            "/v1/domains",
            "{\"name\":\"guest\",\"memory\":\"16MiB\",\"vcpus\":2,"
                + "\"viommu\":{\"type\":\"intel_vtd\",\"intremap\":true}}"));
    done(machine.put("/v1/devices/" + NIC + "/assignment", "{\"domain\":1}"));
    done(
        machine.post(
            "/v1/domains",
            "{\"name\":\"driver\",\"memory\":\"128MiB\",\"policies\":{\"dmaMode\":\"vp\"}}"));
    done(machine.put("/v1/domains/2/dma-api", "{}"));
    done(
        machine.post(
            "/v1/domains/1/ioreq-servers",
            "{\"ranges\":[{\"type\":\"port\",\"start\":\"0x3f8\",\"end\":\"0x3ff\"}]}"));
    done(
        machine.post(
            "/v1/devices/" + NIC + "/dma",
            "{\"op\":\"read\",\"address\":\"0xffff000000\",\"length\":8}"));
    done(machine.post("/v1/domains/1/vcpus/0/io", "{\"port\":\"0x3fd\",\"op\":\"in\",\"size\":1}"));
    done(
        machine.post(
            "/v1/domains/1/vcpus/1/io",
            "{\"port\":\"0x80\",\"op\":\"out\",\"size\":1,\"data\":\"0x1\"}"));
  }

  @AfterAll
  static void stop() {
    if (machine != null) {
      machine.close();
    }
  }

  private static void done(ServedMachine.Answer answer) {
    assertThat(answer.status()).as(answer.text()).isBetween(200, 201);
  }

  @TestFactory
  Stream<DynamicTest> route_isThere_andAnswers() {
    List<Promise> promises = page.promises();
    assertThat(promises).hasSizeGreaterThan(50);
    return promises.stream()
        .map(promise -> DynamicTest.dynamicTest(promise.toString(), () -> check(promise)));
  }

  private static void check(Promise promise) {
    String method =
        promise.method().equals("WS") ? "get" : promise.method().toLowerCase(Locale.ROOT);
    List<String> paths =
        document.get("paths").properties().stream()
            .filter(path -> path.getValue().has(method) && isAt(promise.path(), path.getKey()))
            .map(Map.Entry::getKey)
            .toList();
    assertThat(paths).isNotEmpty();
    assertThat(parameters(paths.getFirst(), method)).containsAll(promise.query());
    if (promise.method().equals("GET") && promise.path().startsWith("/")) {
      ServedMachine.Answer answer =
          machine.send("GET", filled(promise), "", "Accept", "application/json, */*;q=0.1");
      assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    }
  }

  /** Whether a promised path, or the end of one, is a template's. */
  private static boolean isAt(String promised, String template) {
    List<String> wanted = List.of(promised.replaceFirst("^\\.\\.\\.", "").split("/", -1));
    List<String> parts = List.of(template.split("/", -1));
    boolean whole = promised.startsWith("/");
    if (whole ? wanted.size() != parts.size() : wanted.size() > parts.size()) {
      return false;
    }
    int offset = parts.size() - wanted.size();
    for (int i = whole ? 0 : 1; i < wanted.size(); i++) {
      String part = parts.get(offset + i);
      if (!part.equals(wanted.get(i)) && !part.startsWith("{")) {
        return false;
      }
    }
    return true;
  }

  private static Set<String> parameters(String path, String method) {
    Set<String> names = new TreeSet<>();
    for (JsonNode parameter : document.get("paths").get(path).get(method).path("parameters")) {
      JsonNode described =
          parameter.has("$ref")
              ? document.at(parameter.get("$ref").asText().substring(1))
              : parameter;
      names.add(described.get("name").asText());
    }
    return names;
  }

  private static String filled(Promise promise) {
    String path = promise.path();
    for (Map.Entry<String, String> place : PLACES.entrySet()) {
      path = path.replace(place.getKey(), place.getValue());
    }
    String query =
        promise.query().stream()
            .filter(PARAMETERS::containsKey)
            .map(name -> name + "=" + PARAMETERS.get(name))
            .collect(Collectors.joining("&"));
    return query.isEmpty() ? path : path + "?" + query;
  }

  @TestFactory
  Stream<DynamicTest> resource_hasItsMembers() {
    return Stream.of(
            Map.entry("domain", List.of("/v1/domains/1")),
            Map.entry("device", List.of("/v1/devices/" + NIC, "/v1/devices/0000:00:14.0")),
            Map.entry("unit", List.of("/v1/iommus/0")),
            Map.entry("fault record", faults()),
            Map.entry(
                "explain step", List.of("/v1/explain/dma?sbdf=" + NIC + "&iova=0x0&access=read")),
            Map.entry("counters", counters()))
        .map(
            kind ->
                DynamicTest.dynamicTest(
                    kind.getKey(), () -> members(kind.getKey(), kind.getValue())));
  }

  private static List<String> faults() {
    return Stream.of(0, 1, 2, 3).map("/v1/iommus/%d/faults"::formatted).toList();
  }

  private static List<String> counters() {
    return List.of(
        "/v1/domains/1/counters",
        "/v1/domains/2/counters",
        "/v1/iommus/0/counters",
        "/v1/iommus/1/counters",
        "/v1/machine/counters");
  }

  private static void members(String kind, List<String> paths) {
    List<JsonNode> answers = paths.stream().map(path -> machine.get(path).json()).toList();
    List<String> missing = new ArrayList<>(page.members(kind));
    assertThat(missing).hasSizeGreaterThan(5);
    missing.removeIf(name -> answers.stream().anyMatch(answer -> answer.findValue(name) != null));
    assertThat(missing).isEmpty();
  }

  @Test
  void policies_areExplained_withTheirAlternatives() {
    JsonNode explained = machine.get("/v1/policies").json().get("items");
    Map<String, String> promised = page.policies();
    assertThat(promised).hasSizeGreaterThan(15);
    promised.forEach(
        (name, alternatives) -> {
          JsonNode policy = find(explained, name);
          assertThat(policy.get("changes").asText()).isNotBlank();
          for (String alternative : alternatives.split("\\|", -1)) {
            if (alternative.matches("[\\w-]+")) {
              assertThat(policy.get("built")).extracting(JsonNode::asText).contains(alternative);
            }
          }
        });
  }

  private static JsonNode find(JsonNode items, String name) {
    for (JsonNode item : items) {
      if (item.path("name").asText().equals(name)) {
        return item;
      }
    }
    throw new AssertionError("no policy " + name);
  }

  @Test
  void metrics_areExposed_withTheirLabels() {
    String exposed = machine.get("/metrics").text();
    Map<String, Set<String>> promised = page.metrics();
    assertThat(promised).hasSizeGreaterThan(40);
    promised.forEach(
        (name, labels) -> {
          assertThat(exposed).contains("# TYPE " + name + " ");
          // A metric without labels on the page may have some, as hv_build_info has.
          exposed
              .lines()
              .filter(
                  line -> !labels.isEmpty() && line.matches(name + "(_count|_sum|_bucket)?[{ ].*"))
              .forEach(line -> assertThat(labels(line)).as(line).isEqualTo(labels));
        });
  }

  private static Set<String> labels(String sample) {
    Set<String> names = new TreeSet<>();
    Pattern.compile("[{,](\\w+)=\"")
        .matcher(sample)
        .results()
        .map(label -> label.group(1))
        .filter(name -> !name.equals("le"))
        .forEach(names::add);
    return names;
  }

  @Test
  void options_areTheCommandLines() {
    String help = StartOptions.parse(List.of("--help"), Map.of()).usage();
    assertThat(page.options())
        .hasSizeGreaterThan(10)
        .allSatisfy(option -> assertThat(help).contains(option));
  }

  @Test
  void errnos_haveTheirStatus() {
    Map<String, Integer> promised = page.statuses();
    assertThat(promised).hasSizeGreaterThan(30);
    promised.forEach(
        (errno, status) ->
            assertThat(Problems.of(Errno.valueOf(errno)).status()).as(errno).isEqualTo(status));
  }
}
