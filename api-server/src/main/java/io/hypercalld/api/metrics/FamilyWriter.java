package io.hypercalld.api.metrics;

import java.util.List;
import java.util.Locale;

/**
 * Writes families as text. Confined to the thread that exposes them.
 *
 * <p>Of our own, since the Prometheus client has no way to name a counter {@code
 * hv_domains_created_total}: it keeps names in {@code _created} to itself.
 *
 * @see "Prometheus text format 0.0.4; OpenMetrics 1.0.0"
 */
final class FamilyWriter {
  private final StringBuilder out = new StringBuilder();
  private final boolean openMetrics;

  FamilyWriter(boolean openMetrics) {
    this.openMetrics = openMetrics;
  }

  /** Writes a family, even without series: a first scrape shows what there can be. */
  void write(Family family) {
    String described = family.name() + describedSuffix(family);
    out.append("# HELP ").append(described).append(' ').append(escaped(family.help()));
    out.append("\n# TYPE ").append(described).append(' ').append(type(family)).append('\n');
    for (Family.Sample sample : family.samples()) {
      out.append(family.name()).append(sample.suffix());
      writeLabels(sample.labels());
      out.append(' ').append(sample.value()).append('\n');
    }
  }

  /** OpenMetrics describes the family, the older format its samples. */
  private String describedSuffix(Family family) {
    return switch (family.type()) {
      case GAUGE, HISTOGRAM -> "";
      case COUNTER -> openMetrics ? "" : "_total";
      case INFO -> openMetrics ? "" : "_info";
    };
  }

  private String type(Family family) {
    return switch (family.type()) {
      case GAUGE, HISTOGRAM, COUNTER -> family.type().name().toLowerCase(Locale.ROOT);
      case INFO -> openMetrics ? "info" : "gauge";
    };
  }

  private void writeLabels(List<String> labels) {
    if (labels.isEmpty()) {
      return;
    }
    char separator = '{';
    for (int i = 0; i < labels.size(); i += 2) {
      out.append(separator).append(labels.get(i)).append("=\"");
      out.append(escaped(labels.get(i + 1)).replace("\"", "\\\"")).append('"');
      separator = ',';
    }
    out.append('}');
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n");
  }

  /** What has been written. */
  String text() {
    return out.toString();
  }
}
