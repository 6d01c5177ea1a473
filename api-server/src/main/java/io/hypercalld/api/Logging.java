package io.hypercalld.api;

import io.hypercalld.api.cli.DaemonSettings.LogFormat;
import io.hypercalld.api.cli.DaemonSettings.LogLevel;

/** How log lines look; the rest is in logback.xml. */
final class Logging {
  private Logging() {}

  /** To be called before the first line is logged. */
  static void configure(LogFormat format, LogLevel level) {
    // Read by logback.xml.
    System.setProperty("hypercalld.log.level", level.name());
    System.setProperty("hypercalld.log.encoder", encoder(format));
  }

  private static String encoder(LogFormat format) {
    return switch (format) {
      case TEXT -> "ch.qos.logback.classic.encoder.PatternLayoutEncoder";
      case JSON -> "ch.qos.logback.classic.encoder.JsonEncoder";
    };
  }
}
