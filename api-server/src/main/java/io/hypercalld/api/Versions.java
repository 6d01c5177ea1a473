package io.hypercalld.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Versions that the build has written down. Immutable. */
final class Versions {
  private static final String FILE = "/hypercalld.properties";

  private Versions() {}

  /** The version of hypercalld. */
  static String own() {
    return read("version");
  }

  /** The version of the pages under {@code /docs}. */
  static String swaggerUi() {
    return read("swagger-ui");
  }

  private static String read(String key) {
    Properties versions = new Properties();
    try (InputStream file = Versions.class.getResourceAsStream(FILE)) {
      versions.load(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return versions.getProperty(key, "unknown");
  }
}
