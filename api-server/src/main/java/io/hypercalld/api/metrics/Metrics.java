package io.hypercalld.api.metrics;

import io.hypercalld.api.machine.Overloaded;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.RequestLog;
import io.hypercalld.api.rest.Route;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code /metrics}: the last snapshot of the default machine, the HTTP requests, and the process;
 * under another machine's path, its last snapshot alone, so that no label has to name machines.
 * Thread-safe.
 *
 * <p>It never waits for the machine. Where the snapshot has a figure that was not due for being
 * counted again, the machine is asked for another one, which the next scrape will see.
 */
public final class Metrics implements RequestLog {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final HypervisorFamilies hypervisor;
  private final RequestTimes requests = new RequestTimes(registry);
  private final AtomicBoolean watchesProcess = new AtomicBoolean();

  /**
   * Metrics of machines, and of the process that they run in.
   *
   * @param version the daemon's
   */
  public Metrics(String version) {
    this.hypervisor = new HypervisorFamilies(version);
  }

  public List<Route> routes() {
    return List.of(
        Route.get("/metrics", "Metrics, as Prometheus text or OpenMetrics by Accept")
            .answering("text/plain")
            .by(this::expose));
  }

  @Override
  public void answered(String method, String path, int status, long nanos) {
    requests.answered(method, path, status, nanos);
  }

  private Reply expose(Request request) {
    HostedMachine machine = request.hosted();
    if (!machine.view(MetricsSnapshot.class).complete()) {
      refresh(machine);
    }
    Exposition format = Exposition.preferredBy(request.header().apply("Accept").orElse(""));
    MetricSnapshots others = machine.isDefault() ? process() : MetricSnapshots.of();
    return Reply.document(format.contentType(), format.write(hypervisor.collect(machine), others));
  }

  private MetricSnapshots process() {
    // Left until somebody looks: the JVM's own beans take longer to start than the daemon.
    if (watchesProcess.compareAndSet(false, true)) {
      JvmMetrics.builder().register(registry);
    }
    return registry.scrape();
  }

  private static void refresh(HostedMachine machine) {
    try {
      var _ = machine.thread().submit(_ -> Boolean.TRUE);
    } catch (Overloaded e) {
      // It is at work, and a snapshot follows whatever it does next.
    }
  }
}
