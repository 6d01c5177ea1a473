package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a request carries. Immutable. */
sealed interface Content {
  /** JSON. */
  record Json(String text) implements Content {}

  /** What is in a file, whatever that is. */
  record OfFile(Path path) implements Content {}

  /**
   * As it goes out.
   *
   * @throws IOException where the file cannot be read
   */
  default byte[] bytes() throws IOException {
    return switch (this) {
      case Json(String text) -> text.getBytes(UTF_8);
      case OfFile(Path path) -> Files.readAllBytes(path);
    };
  }

  /** What to call it. */
  default String mediaType() {
    return switch (this) {
      case Json _ -> "application/json";
      case OfFile _ -> "application/octet-stream";
    };
  }

  /** The option of curl's that sends it, and what follows that. */
  default String curl() {
    return switch (this) {
      case Json(String text) -> "-d " + HttpCall.quoted(text);
      case OfFile(Path path) -> "--data-binary " + HttpCall.quoted("@" + path);
    };
  }
}
