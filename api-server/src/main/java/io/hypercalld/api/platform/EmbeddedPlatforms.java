package io.hypercalld.api.platform;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** The platforms that come with the program, and the schema of all. Never instantiated. */
public final class EmbeddedPlatforms {
  /** The machine that is there where nobody asks for another. */
  public static final String DEFAULT = "two-socket";

  private static final String DIRECTORY = "/platforms/";
  private static final List<String> NAMES =
      List.of(DEFAULT, "four-nics", "four-nics-64", "awkward-devices", "no-iommu", "scalable");

  private EmbeddedPlatforms() {}

  /** Names that {@link PlatformSource#named} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /** The YAML text of a platform. */
  public static Optional<String> find(String name) {
    return NAMES.contains(name) ? Optional.of(resource(name + ".yaml")) : Optional.empty();
  }

  /** The JSON Schema, draft 2020-12, of a platform's YAML form. */
  public static String schema() {
    return resource("platform.schema.json");
  }

  private static String resource(String file) {
    try (InputStream in = EmbeddedPlatforms.class.getResourceAsStream(DIRECTORY + file)) {
      if (in == null) {
        throw new IllegalStateException("the program was built without " + DIRECTORY + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
