package io.hypercalld.api.metrics;

import io.hypercalld.api.rest.RequestLog;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Set;

/** Counts and times HTTP requests under the names that Micrometer made usual. Thread-safe. */
final class RequestTimes implements RequestLog {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double[] BOUNDS = {
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30
  };

  /** Any other method is a text that a caller chose. */
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE");

  private final Histogram durations;

  RequestTimes(PrometheusRegistry registry) {
    this.durations =
        Histogram.builder()
            .name("http_server_requests_seconds")
            .help("Time from a request's arrival to its answer.")
            .labelNames("method", "uri", "status", "outcome")
            .classicOnly()
            .classicUpperBounds(BOUNDS)
            .withoutExemplars()
            .register(registry);
  }

  @Override
  public void answered(String method, String path, int status, long nanos) {
    durations
        .labelValues(
            METHODS.contains(method) ? method : "OTHER",
            path,
            Integer.toString(status),
            outcome(status))
        .observe(nanos / NANOS_PER_SECOND);
  }

  private static String outcome(int status) {
    return switch (status / 100) {
      case 1 -> "INFORMATIONAL";
      case 2 -> "SUCCESS";
      case 3 -> "REDIRECTION";
      case 4 -> "CLIENT_ERROR";
      default -> "SERVER_ERROR";
    };
  }
}
