package io.hypercalld.api.client;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns what a command line says into a request. Never instantiated. */
final class Wording {
  /** The argument that names a file, which is the whole body. */
  private static final String FILE = "FILE";

  private Wording() {}

  /**
   * The request of a verb.
   *
   * @throws CommandFailure USAGE where a pair is none
   */
  static HttpCall of(Grammar.Said said) {
    Verb verb = said.verb();
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Accept", verb.view().text() ? "text/plain" : "application/json");
    Optional.ofNullable(said.values().get(Grammar.IF_MATCH))
        .ifPresent(tag -> headers.put("If-Match", tag.matches("[\"*W].*") ? tag : '"' + tag + '"'));
    return new HttpCall(verb.method(), path(said) + query(said), headers, body(said));
  }

  private static String path(Grammar.Said said) {
    String path = said.verb().path();
    for (String argument : said.verb().arguments()) {
      path =
          path.replace(
              "{" + argument + "}", HttpCall.encode(said.values().getOrDefault(argument, "")));
    }
    return path;
  }

  private static String query(Grammar.Said said) {
    List<String> query = new ArrayList<>();
    for (Verb.Field field : said.verb().fields()) {
      if (field.place() == Verb.Place.QUERY) {
        given(field, said)
            .ifPresent(text -> query.add(field.member() + "=" + HttpCall.encode(text)));
      }
    }
    if (said.has(Grammar.DRY_RUN)) {
      query.add("dryRun=true");
    }
    return query.isEmpty() ? "" : "?" + String.join("&", query);
  }

  private static Optional<Content> body(Grammar.Said said) {
    if (said.has(FILE)) {
      return Optional.of(file(said.values().getOrDefault(FILE, "")));
    }
    if (said.has(Grammar.BODY)) {
      return Optional.of(new Content.Json(said.values().getOrDefault(Grammar.BODY, "")));
    }
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    boolean nested = false;
    for (Verb.Field field : said.verb().fields()) {
      if (field.source().equals(Optional.of("*"))) {
        members.put(field.member(), pairs(said));
        nested = true;
      } else if (field.place() == Verb.Place.BODY) {
        given(field, said).ifPresent(text -> members.put(field.member(), value(field, text)));
      }
    }
    if (said.verb().pairs() && !nested) {
      members.putAll(pairs(said));
    }
    boolean due = said.verb().pairs() || said.verb().fields().stream().anyMatch(Wording::isMember);
    return due ? Optional.of(new Content.Json(Tree.text(members))) : Optional.empty();
  }

  private static Content file(String name) {
    Path path = Path.of(name);
    if (!Files.isReadable(path)) {
      throw CommandFailure.of(Exit.FAILED, "%s cannot be read", name);
    }
    return new Content.OfFile(path);
  }

  private static boolean isMember(Verb.Field field) {
    return field.place() == Verb.Place.BODY;
  }

  private static Optional<String> given(Verb.Field field, Grammar.Said said) {
    String source = field.source().orElse(field.option());
    Optional<String> value = Optional.ofNullable(said.values().get(source));
    return field.source().isEmpty() || Verb.isArgument(source) ? value : Optional.of(source);
  }

  private static @Nullable Object value(Verb.Field field, String text) {
    return switch (field.kind()) {
      case TEXT -> text;
      case JSON, DOMID -> Tree.word(text);
      case LIST -> List.of(text.split(",", -1));
    };
  }

  private static Map<String, @Nullable Object> pairs(Grammar.Said said) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    for (String pair : said.pairs()) {
      int sign = pair.indexOf('=');
      if (sign < 1) {
        throw CommandFailure.of(
            Exit.USAGE, "%s: \"%s\" is not member=value", said.verb().name(), pair);
      }
      members.put(pair.substring(0, sign), Tree.word(pair.substring(sign + 1)));
    }
    return members;
  }
}
