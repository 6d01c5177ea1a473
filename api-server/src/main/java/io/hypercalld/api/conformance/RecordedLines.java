package io.hypercalld.api.conformance;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;

/** Files of recordings: JSON by lines, JSON as a whole, or bytes; each plain or compressed. */
final class RecordedLines {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int GZIP_FIRST = 0x1f;
  private static final int GZIP_SECOND = 0x8b;

  private RecordedLines() {}

  /**
   * Hands every line's value on, one after the other, and what is wrong with a line to {@code
   * wrong}.
   *
   * @throws UnreadableRecording where the file cannot be read
   */
  static void forEach(Path file, Consumer<UnreadableRecording> wrong, Consumer<JsonNode> use) {
    int number = 0;
    boolean empty = true;
    try (InputStream in = open(file);
        var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          empty = false;
          String place = file + ":" + number;
          use(line, use).ifPresent(why -> wrong.accept(why.in(place)));
        }
      }
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    if (empty) {
      throw new UnreadableRecording(file + ": is empty");
    }
  }

  private static Optional<UnreadableRecording> use(String line, Consumer<JsonNode> use) {
    try {
      use.accept(JSON.readTree(line));
      return Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.of(new UnreadableRecording("not JSON"));
    } catch (UnreadableRecording e) {
      return Optional.of(e);
    }
  }

  /**
   * The one value of a file.
   *
   * @throws UnreadableRecording where the file cannot be read or is not JSON
   */
  static JsonNode value(Path file) {
    try {
      return JSON.readTree(bytes(file));
    } catch (IOException e) {
      throw new UnreadableRecording(file + ": not JSON");
    }
  }

  /**
   * All bytes of a file, uncompressed.
   *
   * @throws UnreadableRecording where the file cannot be read
   */
  static byte[] bytes(Path file) {
    try (InputStream in = open(file)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static InputStream open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    in.mark(2);
    boolean compressed = in.read() == GZIP_FIRST && in.read() == GZIP_SECOND;
    in.reset();
    return compressed ? new GZIPInputStream(in) : in;
  }

  private static UnreadableRecording unreadable(Path file, IOException e) {
    String why =
        Files.notExists(file)
            ? "no such file"
            : Files.isDirectory(file) ? "is a directory" : "cannot be read: " + e.getMessage();
    return new UnreadableRecording(file + ": " + why);
  }
}
