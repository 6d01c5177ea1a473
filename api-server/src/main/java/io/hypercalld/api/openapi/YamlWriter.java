package io.hypercalld.api.openapi;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Writes maps, lists and scalars as YAML in blocks. Confined to the thread that makes the document.
 *
 * <p>Of our own, since a general emitter takes longer for this document than everything else that a
 * first request waits for.
 */
final class YamlWriter {
  private static final int INDENT = 2;

  /** Texts that need no quotes, whatever comes before or after them. */
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z/$][A-Za-z0-9/_.{}-]*( [A-Za-z0-9/_.-]+)*");

  /** Words that some reader takes for something else than text. */
  private static final Set<String> NOT_TEXT =
      Set.of("y", "n", "yes", "no", "on", "off", "true", "false", "null");

  private final StringBuilder out = new StringBuilder();

  private YamlWriter() {}

  static String write(Map<?, ?> document) {
    YamlWriter writer = new YamlWriter();
    writer.map(document, 0, "");
    return writer.out.toString();
  }

  /** The value of a member or an item whose key or dash has been written. */
  private void value(Object value, int depth) {
    switch (value) {
      case Map<?, ?> map when !map.isEmpty() -> {
        out.append('\n');
        map(map, depth, " ".repeat(depth));
      }
      case List<?> list when !list.isEmpty() -> {
        out.append('\n');
        list(list, depth);
      }
      default -> out.append(' ').append(scalar(value)).append('\n');
    }
  }

  private void map(Map<?, ?> map, int depth, String first) {
    String lead = first;
    for (Map.Entry<?, ?> member : map.entrySet()) {
      out.append(lead).append(scalar(String.valueOf(member.getKey()))).append(':');
      value(member.getValue(), depth + INDENT);
      lead = " ".repeat(depth);
    }
  }

  private void list(List<?> list, int depth) {
    for (Object item : list) {
      out.append(" ".repeat(depth)).append('-');
      if (item instanceof Map<?, ?> map && !map.isEmpty()) {
        map(map, depth + INDENT, " ");
      } else {
        value(item, depth + INDENT);
      }
    }
  }

  private static String scalar(Object value) {
    return switch (value) {
      case Map<?, ?> _ -> "{}";
      case List<?> _ -> "[]";
      case String text -> text(text);
      default -> String.valueOf(value);
    };
  }

  /** What is not plainly text is quoted as in JSON, which YAML understands. */
  private static String text(String text) {
    return PLAIN.matcher(text).matches() && !NOT_TEXT.contains(text.toLowerCase(Locale.ROOT))
        ? text
        : '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
  }
}
