package io.hypercalld.api.client;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What became of a resource, in a line. Never instantiated. */
final class Differences {
  private Differences() {}

  static String of(@Nullable Object before, @Nullable Object after) {
    if (before == null || after == null) {
      return before == null ? "new" : "gone";
    }
    List<String> differences = new ArrayList<>();
    collect("", before, after, differences);
    return String.join("; ", differences);
  }

  private static void collect(
      String path, @Nullable Object before, @Nullable Object after, List<String> into) {
    if (Objects.equals(before, after)) {
      return;
    }
    if (before instanceof Map<?, ?> was && after instanceof Map<?, ?> is) {
      Set<Object> names = new LinkedHashSet<>(was.keySet());
      names.addAll(is.keySet());
      names.forEach(
          name ->
              collect(
                  path.isEmpty() ? "" + name : path + "." + name,
                  was.get(name),
                  is.get(name),
                  into));
      return;
    }
    into.add("%s %s -> %s".formatted(path, Tables.cell(before), Tables.cell(after)));
  }
}
