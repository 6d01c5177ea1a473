package io.hypercalld.api.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.RunningDaemon;
import io.hypercalld.api.cli.StartOptions;
import io.hypercalld.api.platform.PlatformSource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.yaml.snakeyaml.Yaml;

/** The dashboard and the alerts ask for what there is. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class MonitoringTest {
  private static final Path SHIPPED = Path.of("src/main/dist/monitoring");
  private static final Path ALERTS = SHIPPED.resolve("alerts.yaml");
  private static final Pattern METRIC = Pattern.compile("\\b(?:hv|http|jvm|process)_[a-z0-9_]+");

  /** Labels of one metric's selector or of a grouping. */
  private static final Pattern GROUPING = Pattern.compile("by \\(([a-z, ]+)\\)");

  private Set<String> served = Set.of();
  private Set<String> labels = Set.of();

  @BeforeAll
  void scrape() throws Exception {
    StartOptions start = StartOptions.parse(List.of("--port", "0"), Map.of());
    try (RunningDaemon daemon =
            RunningDaemon.start(
                start.settings(), PlatformSource.named("two-socket").load().platform());
        HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest scrape = HttpRequest.newBuilder(URI.create(daemon.url() + "/metrics")).build();
      // Requests and hypercalls have series once there was one.
      client.send(
          HttpRequest.newBuilder(URI.create(daemon.url() + "/v1/hypercalls/domctl/getdomaininfo"))
              .POST(HttpRequest.BodyPublishers.ofString("{\"domain\":0}"))
              .build(),
          BodyHandlers.discarding());
      String text = client.send(scrape, BodyHandlers.ofString()).body();
      served = found(METRIC, text);
      labels = found(Pattern.compile("\\b[a-z_]+(?==\")"), text);
    }
  }

  @AfterAll
  void forget() {
    served = Set.of();
  }

  private static Set<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(java.util.regex.MatchResult::group)
        .collect(toCollection(TreeSet::new));
  }

  private static List<String> queries() throws IOException {
    JsonNode dashboard = new ObjectMapper().readTree(SHIPPED.resolve("dashboard.json").toFile());
    return dashboard.findValuesAsText("expr");
  }

  @Test
  void dashboard_everyQuery_asksForServedMetrics() throws IOException {
    assertThat(queries()).hasSizeGreaterThan(20);
    for (String query : queries()) {
      assertThat(found(METRIC, query)).as(query).isNotEmpty().isSubsetOf(served);
    }
  }

  @Test
  void dashboard_everyGrouping_isByServedLabels() throws IOException {
    // Of metrics that have no series on a fresh machine.
    Set<String> known = new TreeSet<>(labels);
    known.addAll(
        Set.of("reason", "granularity", "domid", "server", "trigger", "invariant", "op", "call"));
    for (String query : queries()) {
      GROUPING
          .matcher(query)
          .results()
          .flatMap(grouping -> Stream.of(grouping.group(1).split(", ", -1)))
          .forEach(label -> assertThat(known).as(query).contains(label));
    }
  }

  @Test
  void alerts_everyExpression_asksForServedMetrics() throws IOException {
    Object rules = new Yaml().load(Files.readString(ALERTS));

    Set<String> asked = found(METRIC, new ObjectMapper().writeValueAsString(rules));

    assertThat(asked)
        .contains(
            "hv_iommu_domain_ids_used",
            "hv_iommu_faults_total",
            "hv_iommu_invalidation_errors_total",
            "hv_ioreq_timeouts_total",
            "hv_invariant_violations_total",
            "hv_iommu_fault_overflows_total")
        .isSubsetOf(served);
  }

  @Test
  void alerts_promtool_acceptsThem() throws Exception {
    assumeTrue(isInstalled("promtool"), "promtool is not installed (Debian: prometheus)");

    Process check =
        new ProcessBuilder("promtool", "check", "rules", ALERTS.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(check.getInputStream().readAllBytes(), UTF_8);

    assertThat(check.waitFor()).as(said).isZero();
    assertThat(said).contains("8 rules found");
  }

  private static boolean isInstalled(String tool) {
    return Arrays.stream(System.getenv("PATH").split(":", -1))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, tool)));
  }
}
