package io.hypercalld.api.rest;

import io.hypercalld.api.json.Spelling;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds what stands behind a path. Immutable. */
public final class Router {
  private static final int MAX_HINTS = 3;

  /** Longer paths are no slips, and comparing takes time. */
  private static final int LONGEST_NEAR = 128;

  private final List<Route> routes;
  private final List<PathTemplate> paths;
  private final Node root = new Node();

  /** The routes of one node of the tree of path segments. */
  private static final class Node {
    private final Map<String, Node> children = new HashMap<>();
    private final Map<Method, Route> routes = new EnumMap<>(Method.class);
    private @Nullable Node place;

    Node place() {
      Node known = place;
      if (known == null) {
        known = new Node();
        place = known;
      }
      return known;
    }
  }

  /** What a path leads to. */
  public sealed interface Match {}

  /** A route, and the text at each place of its path. */
  record Found(Route route, Map<String, String> places) implements Match {}

  /** A path that has other methods. */
  record WrongMethod(Set<Method> allowed) implements Match {}

  /** No path. */
  record Unknown(List<String> near) implements Match {}

  /**
   * A router of some routes.
   *
   * @throws IllegalArgumentException where two have one method and one path
   */
  public Router(Collection<Route> all) {
    this.routes = List.copyOf(all);
    this.paths = routes.stream().map(Route::path).distinct().toList();
    routes.forEach(this::add);
  }

  private void add(Route route) {
    Node node = root;
    for (String segment : route.path().segments()) {
      node =
          PathTemplate.isPlace(segment)
              ? node.place()
              : node.children.computeIfAbsent(segment, name -> new Node());
    }
    if (node.routes.put(route.method(), route) != null) {
      throw new IllegalArgumentException(route.method() + " " + route.path().text() + " twice");
    }
  }

  /** Every route, in the order of documentation. */
  public List<Route> routes() {
    return routes;
  }

  /** Where a request goes; {@code method} may be none that exists. */
  public Match match(Optional<Method> method, String path) {
    List<String> segments = PathTemplate.split(path);
    Node node = walk(root, segments, 0);
    if (node == null) {
      return new Unknown(near(path));
    }
    Route route = method.map(node.routes::get).orElse(null);
    return route == null
        ? new WrongMethod(new TreeSet<>(node.routes.keySet()))
        : new Found(route, places(route, segments));
  }

  private static @Nullable Node walk(Node node, List<String> segments, int depth) {
    if (depth == segments.size()) {
      return node.routes.isEmpty() ? null : node;
    }
    String segment = segments.get(depth);
    Node child = node.children.get(segment);
    Node found = child == null ? null : walk(child, segments, depth + 1);
    if (found == null && node.place != null && !segment.isEmpty()) {
      found = walk(node.place, segments, depth + 1);
    }
    return found;
  }

  private static Map<String, String> places(Route route, List<String> segments) {
    Map<String, String> places = new LinkedHashMap<>();
    List<String> template = route.path().segments();
    for (int i = 0; i < template.size(); i++) {
      if (PathTemplate.isPlace(template.get(i))) {
        places.put(PathTemplate.nameOf(template.get(i)), segments.get(i));
      }
    }
    return places;
  }

  /** The documented paths nearest to one that does not exist. */
  private List<String> near(String path) {
    if (path.length() > LONGEST_NEAR) {
      return List.of();
    }
    int limit = Math.max(3, path.length() / 2);
    List<String> given = PathTemplate.split(path);
    record Candidate(String path, int distance) {}
    return paths.stream()
        .map(known -> new Candidate(known.text(), distance(path, known.filledAs(given), limit)))
        .filter(candidate -> candidate.distance <= limit)
        .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::path))
        .limit(MAX_HINTS)
        .map(Candidate::path)
        .toList();
  }

  /** Exact up to a limit; two lengths tell at least how far they are apart. */
  private static int distance(String path, String other, int limit) {
    int least = Math.abs(path.length() - other.length());
    return least > limit ? least : Spelling.distance(path, other);
  }
}
