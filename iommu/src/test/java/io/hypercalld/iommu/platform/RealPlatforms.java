package io.hypercalld.iommu.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Tables and listings of real machines, which lie beside the project and not in it. Immutable.
 *
 * <p>Looked for where the system property {@code hypercalld.shared} says, then in directories named
 * {@code shared} on the way up. Tests that need them are skipped where there are none.
 */
public final class RealPlatforms {
  private final Path directory;

  private RealPlatforms(Path directory) {
    this.directory = directory;
  }

  /** The platforms, or the calling test is skipped. */
  public static RealPlatforms required() {
    Optional<Path> found = candidates().filter(Files::isDirectory).findFirst();
    Assumptions.assumeTrue(found.isPresent(), "no shared/platforms beside the project");
    return new RealPlatforms(found.orElseThrow());
  }

  private static Stream<Path> candidates() {
    return Stream.concat(
            Stream.ofNullable(System.getProperty("hypercalld.shared")),
            Stream.of("shared", "../shared", "../../shared", "../../../shared"))
        .map(shared -> Path.of(shared, "platforms"));
  }

  /** Names of the machines that have a table. */
  public List<String> names() {
    List<String> names = list(directory, "dmar.bin");
    assertThat(names).isNotEmpty();
    return names;
  }

  /** Names of the machines that have a listing too. */
  public List<String> listed() {
    List<String> names = list(directory, "lspci.txt");
    assertThat(names).isNotEmpty();
    return names;
  }

  private static List<String> list(Path directory, String file) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> Files.exists(entry.resolve(file)))
          .map(entry -> entry.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Names of the files of malformed tables. */
  public List<String> malformed() {
    try (Stream<Path> entries = Files.list(directory.resolve("malformed"))) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.endsWith(".bin"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public byte[] table(String name) {
    return bytes(directory.resolve(name).resolve("dmar.bin"));
  }

  public byte[] malformedTable(String file) {
    return bytes(directory.resolve("malformed").resolve(file));
  }

  public String listing(String name) {
    return new String(bytes(directory.resolve(name).resolve("lspci.txt")), StandardCharsets.UTF_8);
  }

  /** What somebody else's decoder says of a machine's table. */
  public JsonNode decoded(String name) {
    try {
      return new ObjectMapper().readTree(bytes(directory.resolve(name).resolve("dmar.json")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
