package io.hypercalld.api.metrics;

import static io.hypercalld.api.metrics.SimulatedMachine.GUEST;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.Snapshots;
import io.hypercalld.api.rest.Access;
import io.hypercalld.api.rest.Dispatcher;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Router;
import io.hypercalld.api.rest.Turn;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /metrics} as Prometheus sees it. */
class MetricsTest {
  private static final String PROMETHEUS =
      "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
  private static final Pattern LABEL = Pattern.compile("[{,]([a-zA-Z_]+)=\"");
  private static final Set<String> ALLOWED_LABELS =
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
          "invariant");
  private static final List<String> FAMILIES =
      List.of(
          "hv_build_info",
          "hv_domains",
          "hv_domains_created_total",
          "hv_domains_destroyed_total",
          "hv_domain_memory_bytes",
          "hv_domain_devices",
          "hv_machine_memory_total_bytes",
          "hv_machine_memory_free_bytes",
          "hv_hypercalls_total",
          "hv_hypercall_duration_seconds",
          "hv_hypercall_continuations_total",
          "hv_commands_in_flight",
          "hv_p2m_entries",
          "hv_p2m_table_pages",
          "hv_p2m_updates_total",
          "hv_iommu_domain_ids_used",
          "hv_iommu_domain_ids_capacity",
          "hv_iommu_domain_id_allocation_failures_total",
          "hv_iommu_context_entries",
          "hv_iommu_page_table_pages",
          "hv_iommu_shared_page_tables",
          "hv_iommu_translations_total",
          "hv_iommu_cache_lookups_total",
          "hv_iommu_cache_entries",
          "hv_iommu_invalidations_total",
          "hv_iommu_invalidation_errors_total",
          "hv_iommu_faults_total",
          "hv_iommu_fault_overflows_total",
          "hv_iommu_fault_records_pending",
          "hv_devices",
          "hv_device_owner",
          "hv_device_assignments_total",
          "hv_metrics_series_dropped_total",
          "hv_invariant_violations_total");

  private final SimulatedMachine simulated = new SimulatedMachine();
  private final Sbdf device = simulated.virtualFunctions().getLast();
  private final SnapshotTaker taker = new SnapshotTaker(simulated.machine());
  private final MachineThread<Machine, MetricsSnapshot> thread =
      new MachineThread<>(simulated.machine(), _ -> taker.take(), MachineThread.DEFAULT_CAPACITY);
  private final Metrics metrics = new Metrics("1.2.3");
  private final Dispatcher dispatcher =
      new Dispatcher(
          new Router(metrics.routes()),
          new Machines(
              new HostedMachine(Machines.DEFAULT, thread, new Snapshots(simulated::machine))),
          (_, _) -> {
            throw new AssertionError();
          },
          new Access(List.of()),
          metrics);

  @TempDir private Path scratch;

  @AfterEach
  void close() {
    thread.close();
    simulated.close();
  }

  private void onMachine(Consumer<SimulatedMachine> work) {
    thread
        .submit(
            _ -> {
              work.accept(simulated);
              return Boolean.TRUE;
            })
        .join();
  }

  private Encoded get(String accept) {
    Request request =
        Request.of(
            "GET",
            "/metrics",
            Map.of(),
            header -> header.equals("Accept") ? Optional.of(accept) : Optional.empty(),
            new Request.Body(new byte[0]));
    return dispatcher.dispatch(request, new Turn(Runnable::run)).join();
  }

  private String scrape() {
    return new String(get("text/plain").body(), UTF_8);
  }

  private static void useEverything(SimulatedMachine machine) {
    Sbdf device = machine.virtualFunctions().getLast();
    machine.create(GUEST);
    machine.populate(GUEST, 2);
    machine.assign(GUEST, device);
    machine.write(device, 0x1000);
    machine.deassign(GUEST, device);
    machine.write(device, 0x1000);
    machine.assign(GUEST, device);
  }

  @Test
  void metrics_faultAfterDeassignment_isCountedByReason() {
    onMachine(MetricsTest::useEverything);

    assertThat(scrape())
        .contains("hv_iommu_faults_total{iommu=\"1\",type=\"dma_write\",reason=\"0x2\"} 1\n")
        .contains("hv_iommu_fault_records_pending{iommu=\"1\"} 0\n")
        .contains("hv_device_owner{sbdf=\"" + device + "\",domid=\"1\"} 1\n")
        .contains("hv_device_assignments_total{op=\"assign\",result=\"ok\"} 2\n")
        .contains("hv_p2m_entries{domid=\"1\",type=\"ram_rw\",order=\"9\"} 2\n")
        .contains("hv_domain_memory_bytes{domid=\"1\"} 4194304\n");
  }

  @Test
  void metrics_everyFamily_hasHelpAndTypeAndSamples() {
    onMachine(MetricsTest::useEverything);

    String text = scrape();

    assertThat(FAMILIES)
        .allSatisfy(
            family ->
                assertThat(text)
                    .contains("# HELP " + family + " ")
                    .contains("# TYPE " + family + " ")
                    .containsPattern("(?m)^" + family + "(_count)?[{ ]"));
    assertThat(text)
        .contains("jvm_memory_used_bytes")
        .contains("process_resident_memory_bytes")
        .contains("process_cpu_seconds_total");
  }

  @Test
  void metrics_labels_areOnlyThoseAllowed() {
    onMachine(MetricsTest::useEverything);

    Set<String> labels =
        scrape()
            .lines()
            .filter(line -> line.startsWith("hv_") && !line.startsWith("hv_build_info"))
            .flatMap(line -> LABEL.matcher(line).results().map(MatchResult::group))
            .map(text -> text.substring(1, text.length() - 2))
            .collect(Collectors.toCollection(TreeSet::new));

    labels.remove("le");
    assertThat(ALLOWED_LABELS).containsAll(labels);
  }

  @Test
  void metrics_prometheusAsks_isOpenMetrics() {
    Encoded answer = get(PROMETHEUS);

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.mediaType()).startsWith("application/openmetrics-text; version=1.0.0");
    assertThat(new String(answer.body(), UTF_8)).endsWith("# EOF\n");
  }

  @Test
  void metrics_textIsAskedFor_isVersion004() {
    assertThat(get("text/plain").mediaType()).startsWith("text/plain; version=0.0.4");
  }

  @Test
  void metrics_moreThan256Domains_dropsTheRestAndCountsIt() {
    onMachine(
        machine -> {
          for (int id = 1; id < 300; id++) {
            machine.create(new DomainId(id));
          }
        });

    String text = scrape();

    assertThat(text.lines().filter(line -> line.startsWith("hv_domain_memory_bytes{")))
        .hasSize(256);
    assertThat(text).contains("hv_domains{state=\"paused\"} 299\n");
    assertThat(text).containsPattern("hv_metrics_series_dropped_total [1-9]");
  }

  @Test
  void metrics_afterManyDomains_hasNoMoreSeriesThanBefore() {
    onMachine(
        machine -> {
          machine.create(GUEST);
          machine.destroy(GUEST);
        });
    long before = seriesOfOurs();
    onMachine(
        machine -> {
          for (int cycle = 0; cycle < 1000; cycle++) {
            DomainId id = new DomainId(1 + cycle % 500);
            machine.create(id);
            machine.destroy(id);
          }
        });

    assertThat(seriesOfOurs()).isEqualTo(before);
  }

  private long seriesOfOurs() {
    return scrape().lines().filter(line -> line.startsWith("hv_")).count();
  }

  @Test
  void metrics_requests_areTimedByRoute() {
    metrics.answered("GET", "/v1/domains/{d}", 404, 2_000_000);
    metrics.answered("INVENTED", "NOT_FOUND", 405, 1_000);

    assertThat(scrape())
        .contains(
            "http_server_requests_seconds_count{method=\"GET\",outcome=\"CLIENT_ERROR\","
                + "status=\"404\",uri=\"/v1/domains/{d}\"} 1")
        .contains("method=\"OTHER\"")
        .doesNotContain("INVENTED");
  }

  @Test
  void metrics_withoutViolation_saysSo() {
    assertThat(scrape()).contains("hv_invariant_violations_total{invariant=\"I1\"} 0\n");
  }

  @Test
  void metrics_promtool_hasNoComplaint() throws Exception {
    assumeTrue(hasPromtool(), "promtool is not installed (Debian: the package prometheus)");
    onMachine(MetricsTest::useEverything);
    Path file = Files.writeString(scratch.resolve("metrics"), scrape());

    Process check =
        new ProcessBuilder("promtool", "check", "metrics")
            .redirectInput(file.toFile())
            .redirectErrorStream(true)
            .start();

    assertThat(new String(check.getInputStream().readAllBytes(), UTF_8)).isEmpty();
    assertThat(check.waitFor()).isZero();
  }

  private static boolean hasPromtool() throws IOException {
    return Arrays.stream(System.getenv("PATH").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, "promtool")));
  }
}
