package io.hypercalld.api.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Answers as people read them. Never instantiated. */
final class Tables {
  private static final String GAP = "   ";
  private static final long KIBI = 1024;
  private static final List<String> UNITS = List.of("B", "KiB", "MiB", "GiB", "TiB");

  private Tables() {}

  /** What is a row of an answer: each item of a list, or the answer itself. */
  static List<?> rows(@Nullable Object answer, View view) {
    return Tree.at(answer, view.rows()) instanceof List<?> items
        ? items
        : answer == null ? List.of() : List.of(answer);
  }

  static String print(@Nullable Object answer, View view, boolean headings) {
    boolean listed = Tree.at(answer, view.rows()) instanceof List<?>;
    if (view.columns().isEmpty()) {
      return listed ? sheets(rows(answer, view)) : sheet(answer);
    }
    StringBuilder text = new StringBuilder();
    if (listed && answer instanceof Map<?, ?> members) {
      members.forEach((name, value) -> text.append(aside(name, value)));
    }
    return text.append(table(rows(answer, view), view, headings)).toString();
  }

  /** What is said about all rows, but for the way to more of them and how old they are. */
  private static String aside(Object name, @Nullable Object value) {
    boolean silent =
        value == null
            || value instanceof List
            || value instanceof Map
            || name.equals("nextCursor")
            || name.equals("revision");
    return silent ? "" : name + ": " + cell(value) + "\n";
  }

  private static String table(List<?> rows, View view, boolean headings) {
    List<List<String>> lines = new ArrayList<>();
    if (headings) {
      lines.add(view.columns().stream().map(View.Column::heading).toList());
    }
    for (Object row : rows) {
      lines.add(view.columns().stream().map(column -> column(row, column.path())).toList());
    }
    int[] widths =
        IntStream.range(0, view.columns().size())
            .map(i -> lines.stream().mapToInt(line -> line.get(i).length()).max().orElse(0))
            .toArray();
    return lines.stream().map(line -> aligned(line, widths)).collect(Collectors.joining());
  }

  private static String column(@Nullable Object row, String path) {
    if (path.equals(View.DIFFERENCE)) {
      return Differences.of(Tree.at(row, "before"), Tree.at(row, "after"));
    }
    if (path.startsWith(View.SIZE)) {
      return size(Tree.at(row, path.substring(1)));
    }
    return path.startsWith(View.COUNT)
        ? Integer.toString(Tree.listAt(row, path.substring(1)).size())
        : cell(Tree.at(row, path));
  }

  /** Bytes in the largest unit of which they are a whole number. */
  private static String size(@Nullable Object value) {
    if (!(value instanceof Number number)) {
      return cell(value);
    }
    long bytes = number.longValue();
    int unit = 0;
    while (bytes != 0 && bytes % KIBI == 0 && unit < UNITS.size() - 1) {
      bytes /= KIBI;
      unit++;
    }
    return bytes + UNITS.get(unit);
  }

  private static String aligned(List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = cells.get(i);
      line.append(cell).append(" ".repeat(Math.max(0, widths[i] - cell.length()))).append(GAP);
    }
    return line.toString().stripTrailing() + "\n";
  }

  /** A value in one word: nothing is a dash, a list has commas. */
  static String cell(@Nullable Object value) {
    return switch (value) {
      case null -> "-";
      case String text -> text.isEmpty() ? "-" : text;
      case List<?> list when list.stream().noneMatch(Tables::isNested) ->
          list.isEmpty() ? "-" : list.stream().map(Tables::cell).collect(Collectors.joining(","));
      case Map<?, ?> map when map.isEmpty() -> "-";
      default -> isNested(value) ? Tree.text(value) : value.toString();
    };
  }

  private static boolean isNested(@Nullable Object value) {
    return value instanceof Map || value instanceof List;
  }

  private static String sheets(List<?> rows) {
    return rows.stream().map(Tables::sheet).collect(Collectors.joining("\n"));
  }

  /** Every member in a line of its own, those of members by their paths. */
  private static String sheet(@Nullable Object value) {
    List<List<String>> lines = new ArrayList<>();
    flatten("", value, lines);
    int[] widths = {lines.stream().mapToInt(line -> line.getFirst().length()).max().orElse(0), 0};
    return lines.stream().map(line -> aligned(line, widths)).collect(Collectors.joining());
  }

  private static void flatten(String path, @Nullable Object value, List<List<String>> lines) {
    switch (value) {
      case Map<?, ?> map when !map.isEmpty() ->
          map.forEach(
              (name, member) ->
                  flatten(path.isEmpty() ? name.toString() : path + "." + name, member, lines));
      case List<?> list when list.stream().anyMatch(Tables::isNested) -> {
        for (int i = 0; i < list.size(); i++) {
          flatten(path + "[" + i + "]", list.get(i), lines);
        }
      }
      case null, default -> lines.add(List.of(path, cell(value)));
    }
  }
}
