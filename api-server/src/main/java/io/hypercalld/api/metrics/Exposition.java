package io.hypercalld.api.metrics;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A format that metrics are written in. Immutable. */
final class Exposition {
  /** What everybody understands, and what is served to whoever asks for nothing we have. */
  static final Exposition TEXT = new Exposition("text/plain", PrometheusTextFormatWriter.create());

  static final Exposition OPEN_METRICS =
      new Exposition("application/openmetrics-text", new OpenMetricsTextFormatWriter(false, false));

  private final String mediaType;
  private final ExpositionFormatWriter writer;

  private Exposition(String mediaType, ExpositionFormatWriter writer) {
    this.mediaType = mediaType;
    this.writer = writer;
  }

  /** The format that an Accept header prefers. */
  static Exposition preferredBy(String accept) {
    double text = Math.max(quality(accept, TEXT.mediaType), quality(accept, "text/*"));
    double openMetrics = quality(accept, OPEN_METRICS.mediaType);
    return openMetrics > 0 && openMetrics >= text ? OPEN_METRICS : TEXT;
  }

  /** The greatest weight that the header gives to exactly this range; 0 where it names it not. */
  private static double quality(String accept, String range) {
    double best = 0;
    for (String item : accept.split(",", -1)) {
      String[] parts = item.split(";", -1);
      if (parts[0].strip().equalsIgnoreCase(range)) {
        best = Math.max(best, weight(parts));
      }
    }
    return best;
  }

  private static double weight(String[] parts) {
    for (String part : parts) {
      String parameter = part.strip();
      if (parameter.startsWith("q=")) {
        try {
          return Double.parseDouble(parameter.substring(2));
        } catch (NumberFormatException e) {
          return 0;
        }
      }
    }
    return 1;
  }

  String contentType() {
    return writer.getContentType();
  }

  /** The machine's families, then what the client's registry holds. */
  byte[] write(List<Family> families, MetricSnapshots others) {
    FamilyWriter ours = new FamilyWriter(this == OPEN_METRICS);
    families.forEach(ours::write);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(ours.text().getBytes(StandardCharsets.UTF_8));
    try {
      // Comes last, as it also writes the mark at the end that OpenMetrics wants.
      writer.write(bytes, others);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
