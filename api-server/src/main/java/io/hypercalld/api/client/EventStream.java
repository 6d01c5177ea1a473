package io.hypercalld.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Events as they happen. Never instantiated. */
final class EventStream {
  private EventStream() {}

  /**
   * Prints one line an event until the daemon ends the stream.
   *
   * @throws CommandFailure what the daemon says where it has none
   */
  static Exit follow(Conversation conversation, HttpCall call) {
    conversation.daemon().stream(
        call.with("Accept", "application/x-ndjson"),
        (answer, lines) -> {
          if (answer.status() >= 400) {
            throw CommandFailure.of(
                Exit.ofStatus(answer.status(), false),
                "%s",
                Conversation.complaint(answer.status(), answer.text()));
          }
          try (BufferedReader reader = new BufferedReader(new InputStreamReader(lines, UTF_8))) {
            print(reader, conversation);
          }
        });
    return Exit.OK;
  }

  private static void print(BufferedReader reader, Conversation conversation) throws IOException {
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (!line.isBlank()) {
        conversation.terminal().print(format(Tree.parse(line), conversation.format()));
      }
    }
  }

  private static String format(@Nullable Object event, Format format) {
    return switch (format) {
      case TABLE ->
          "%s  %s  %s  %s%n"
              .formatted(
                  text(event, "id"),
                  text(event, "type"),
                  text(event, "source"),
                  text(event, "data"));
      case JSON -> Tree.text(event) + "\n";
      case YAML -> "---\n" + Format.YAML.print(event, View.of(""), false);
      case NAME ->
          Format.NAME.print(
              Map.of("items", Collections.singletonList(event)), View.of("id"), false);
    };
  }

  private static String text(@Nullable Object event, String member) {
    return Tables.cell(Tree.at(event, member));
  }
}
