package io.hypercalld.api.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One thing that the command line can ask. Immutable.
 *
 * @param name its words: {@code device assign}
 * @param arguments what follows them, in capitals, as in {@code SBDF}
 * @param fallbacks what arguments are that are left out
 * @param pairs whether {@code member=value} may follow, which become members of the body
 * @param path with arguments at its places: {@code /v1/devices/{SBDF}}; empty where the command
 *     asks in its own way
 */
record Verb(
    String name,
    List<String> arguments,
    Map<String, String> fallbacks,
    boolean pairs,
    String method,
    String path,
    List<Field> fields,
    View view,
    String description) {
  private static final String PAIRS = "k=v..";

  /** Where a value goes in a request. */
  enum Place {
    QUERY,
    BODY
  }

  /** How a word of the command line becomes a value. */
  enum Kind {
    TEXT,
    /** JSON if it reads as that, or else text. */
    JSON,
    /** Texts with commas between them. */
    LIST,
    /** A domain, by id or by name. */
    DOMID
  }

  /**
   * A value of a request.
   *
   * @param source an argument's name, in capitals, {@code *} for all pairs, or the value itself;
   *     empty where an option of the member's name gives it
   */
  record Field(Place place, String member, Kind kind, Optional<String> source) {
    /** The option that gives it. */
    String option() {
      return "--" + dashed(member);
    }
  }

  /**
   * A verb as it is written down.
   *
   * @param usage its words, then its arguments in capitals: {@code device assign SBDF DOMAIN}; one
   *     that may be left out is written as {@code ACCESS=read}
   * @param request a method and a path, then what the query ({@code ?state}) and the body ({@code
   *     domain:json=DOMAIN}) are made of
   * @param view see {@link View#of}
   */
  static Verb of(String usage, String request, String view, String description) {
    List<String> words = new ArrayList<>();
    List<String> arguments = new ArrayList<>();
    Map<String, String> fallbacks = new HashMap<>();
    for (String word : usage.split(" ", -1)) {
      String[] sides = word.split("=", 2);
      if (!word.equals(PAIRS)) {
        (isArgument(sides[0]) ? arguments : words).add(sides[0]);
        if (sides.length > 1) {
          fallbacks.put(sides[0], sides[1]);
        }
      }
    }
    String[] parts = request.split(" ", -1);
    return new Verb(
        String.join(" ", words),
        arguments,
        fallbacks,
        usage.endsWith(PAIRS),
        parts[0],
        parts.length > 1 ? parts[1] : "",
        Arrays.stream(parts).skip(2).map(Verb::field).toList(),
        View.of(view),
        description);
  }

  private static Field field(String text) {
    boolean query = text.startsWith("?");
    String[] sides = text.substring(query ? 1 : 0).split("=", 2);
    String[] named = sides[0].split(":", 2);
    return new Field(
        query ? Place.QUERY : Place.BODY,
        named[0],
        named.length > 1 ? Kind.valueOf(named[1].toUpperCase(Locale.ROOT)) : Kind.TEXT,
        sides.length > 1 ? Optional.of(sides[1]) : Optional.empty());
  }

  /** Whether a word stands for what the user says. */
  static boolean isArgument(String word) {
    return word.matches("[A-Z][A-Z-]*");
  }

  /** The first word. */
  String noun() {
    return name.split(" ", 2)[0];
  }

  /** The word after it; empty where the noun says it all. */
  String word() {
    return name.substring(noun().length()).strip();
  }

  boolean changes() {
    return !method.equals("GET");
  }

  /** The values that options give. */
  List<Field> options() {
    return fields.stream().filter(field -> field.source().isEmpty()).toList();
  }

  /**
   * A member's name as options and headings spell it: {@code memoryBytes}, {@code memory-bytes}.
   */
  static String dashed(String member) {
    return member.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
  }
}
