package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The recordings that tests have. */
final class Corpus {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Corpus() {}

  static Path resource(String name) {
    try {
      URL url = Corpus.class.getResource("/conformance/" + name);
      return Path.of(Objects.requireNonNull(url, name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** Every case, read once. */
  static List<CorpusCase> cases() {
    return Cases.ALL;
  }

  /** Apart from the rest, so that whoever needs only lines need not wait. */
  private static final class Cases {
    static final List<CorpusCase> ALL =
        lines().stream().map(line -> CaseReader.read(parse(line))).toList();
  }

  /** What a case is about: the letters of its id. */
  static String family(CorpusCase recorded) {
    return recorded.id().replaceAll("[0-9-]*$", "");
  }

  /** Every case, as its line. */
  static List<String> lines() {
    try (Stream<Path> files = Files.list(resource("corpus"))) {
      return files.sorted().flatMap(file -> text(file).lines()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(Path file) {
    return new String(RecordedLines.bytes(file), StandardCharsets.UTF_8);
  }

  static ObjectNode parse(String line) {
    try {
      return (ObjectNode) JSON.readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A report that prints nothing. */
  static Report quiet() {
    return new Report(
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
  }

  /** What a judge says. */
  static final class Said {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    final PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8);

    List<String> lines() {
      return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    List<String> failures() {
      return lines().stream().filter(line -> line.startsWith("FAIL ")).toList();
    }
  }
}
