package io.hypercalld.api.resource;

import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A list, or as much of it as was asked for. Immutable.
 *
 * @param nextCursor where it goes on; empty at the end
 */
record Page(List<Object> items, Optional<String> nextCursor) {
  static final Parameter LIMIT = Parameter.optional("limit", "most items to answer", int.class);
  static final Parameter CURSOR =
      Parameter.optional("cursor", "nextCursor of the page before", String.class);

  private static final int MOST = 10_000;
  private static final int USUAL = 1000;

  /** A page of all there is. */
  static Page whole(List<?> items) {
    return new Page(List.copyOf(items), Optional.empty());
  }

  static int limit(Request request) {
    int limit = Names.count(request, LIMIT.name(), MOST).orElse(USUAL);
    if (limit == 0) {
      throw Failure.of(Problems.INVALID_PARAMETER, "limit is at least 1");
    }
    return limit;
  }

  /**
   * The page that a request asks for.
   *
   * @param key names an item; the cursor is the key of the last one of the page before
   * @throws Failure 410 where that item is gone
   */
  static <T> Page of(List<T> all, Request request, Function<T, String> key, Function<T, ?> view) {
    int start =
        request
            .parameter(CURSOR.name())
            .map(cursor -> all.stream().map(key).toList().indexOf(cursor) + 1)
            .orElse(0);
    if (start == 0 && request.parameter(CURSOR.name()).isPresent()) {
      throw Failure.of(Problems.CURSOR_EXPIRED, "the item of the cursor is not in the list");
    }
    int end = Math.min(all.size(), start + limit(request));
    List<Object> items = all.subList(start, end).stream().<Object>map(view).toList();
    return new Page(
        items, end < all.size() ? Optional.of(key.apply(all.get(end - 1))) : Optional.empty());
  }

  /** What a route answers that lists such items. */
  static Route.Response ofItems(Class<?> item) {
    Map<String, Object> properties = new LinkedHashMap<>();
    properties.put("items", Map.of("type", "array", "items", Shapes.RESOURCES.of(item).schema()));
    properties.put("nextCursor", Map.of("type", List.of("string", "null")));
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    schema.put("properties", properties);
    schema.put("required", List.of("items", "nextCursor"));
    return new Route.Response(200, "OK", Encoded.JSON, schema);
  }
}
