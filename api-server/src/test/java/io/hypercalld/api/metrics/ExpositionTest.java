package io.hypercalld.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which format a caller gets. */
class ExpositionTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "*/*",
        "text/plain",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "text/plain;version=0.0.4,application/openmetrics-text;q=0.5",
        "application/openmetrics-text;q=none",
        "application/json"
      })
  void preferredBy_whoeverDoesNotPreferOpenMetrics_isText(String accept) {
    assertThat(Exposition.preferredBy(accept)).isEqualTo(Exposition.TEXT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/openmetrics-text",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1"
            + ";q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
            + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.6,"
            + "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4"
      })
  void preferredBy_prometheus_isOpenMetrics(String accept) {
    assertThat(Exposition.preferredBy(accept)).isEqualTo(Exposition.OPEN_METRICS);
  }
}
