package io.hypercalld.api.client;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/** How an answer is printed. */
enum Format {
  TABLE,
  JSON,
  YAML,
  NAME;

  /**
   * The format of that name.
   *
   * @throws CommandFailure USAGE
   */
  static Format of(String name) {
    return Arrays.stream(values())
        .filter(format -> format.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () -> CommandFailure.of(Exit.USAGE, "\"%s\" is not table, json, yaml or name", name));
  }

  /**
   * An answer's text, line ends included.
   *
   * @param headings whether a table has a first line that names its columns
   */
  String print(@Nullable Object answer, View view, boolean headings) {
    return switch (this) {
      case TABLE -> Tables.print(answer, view, headings);
      case JSON -> Tree.text(answer) + "\n";
      case YAML -> yaml(answer);
      case NAME -> names(answer, view);
    };
  }

  private static String yaml(@Nullable Object answer) {
    DumperOptions options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    options.setSplitLines(false);
    return new Yaml(options).dump(answer);
  }

  /** The first cell of each row, or of the one thing that there is. */
  private static String names(@Nullable Object answer, View view) {
    String path = view.columns().isEmpty() ? "" : view.columns().getFirst().path();
    List<?> rows = Tables.rows(answer, view);
    return rows.stream()
        .map(row -> Tables.cell(path.isEmpty() ? first(row) : Tree.at(row, path)) + "\n")
        .collect(Collectors.joining());
  }

  private static @Nullable Object first(@Nullable Object row) {
    return row instanceof java.util.Map<?, ?> members && !members.isEmpty()
        ? members.values().iterator().next()
        : row;
  }
}
