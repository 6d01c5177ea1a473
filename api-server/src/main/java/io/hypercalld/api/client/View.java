package io.hypercalld.api.client;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What of an answer a table shows. Immutable.
 *
 * @param text whether the daemon's own text is shown, and asked for
 * @param rows the member that holds the rows
 * @param columns none where every member is shown in a line of its own
 */
record View(boolean text, String rows, List<Column> columns) {
  /** Before a path: how many items are there. */
  static final String COUNT = "#";

  /** Before a path: a number of bytes is there. */
  static final String SIZE = "%";

  /** As a path: what is different between {@code before} and {@code after}. */
  static final String DIFFERENCE = "~";

  /** What a change would have come to. */
  static final View DRY_RUN = of("effect>resource CHANGE=~");

  private static final String ITEMS = "items";

  /** A column: the path of members that it shows. */
  record Column(String heading, String path) {}

  /**
   * A view as it is written down: {@code text}, or columns, as in {@code domid MEMORY=memoryBytes},
   * after {@code steps>} where the rows are not {@code items}.
   */
  static View of(String spelled) {
    if (spelled.equals("text")) {
      return new View(true, ITEMS, List.of());
    }
    int end = spelled.indexOf('>');
    String columns = spelled.substring(end + 1);
    return new View(
        false,
        end < 0 ? ITEMS : spelled.substring(0, end),
        columns.isEmpty()
            ? List.of()
            : Arrays.stream(columns.split(" ", -1)).map(View::column).toList());
  }

  private static Column column(String spelled) {
    String[] sides = spelled.split("=", 2);
    return sides.length > 1
        ? new Column(sides[0], sides[1])
        : new Column(Verb.dashed(spelled).toUpperCase(Locale.ROOT), spelled);
  }
}
