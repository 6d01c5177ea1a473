package io.hypercalld.api.rest;

import java.util.ArrayList;
import java.util.List;

/**
 * A path with named places: {@code /v1/domains/{d}}. Immutable.
 *
 * @param text as it is documented
 * @param segments its parts between the slashes
 */
public record PathTemplate(String text, List<String> segments) {
  public PathTemplate(String text) {
    this(text, List.copyOf(split(text)));
  }

  /** The names of the places, in order. */
  public List<String> names() {
    return segments().stream().filter(PathTemplate::isPlace).map(PathTemplate::nameOf).toList();
  }

  /** The path that has at every place what a given one has there. */
  String filledAs(List<String> given) {
    StringBuilder filled = new StringBuilder(text.length());
    for (int i = 0; i < segments.size(); i++) {
      boolean known = isPlace(segments.get(i)) && i < given.size();
      filled.append('/').append(known ? given.get(i) : segments.get(i));
    }
    return filled.toString();
  }

  static boolean isPlace(String segment) {
    return segment.startsWith("{");
  }

  static String nameOf(String place) {
    return place.substring(1, place.length() - 1);
  }

  /** The parts of a path between its slashes; a slash at the end is one too many and counts. */
  static List<String> split(String path) {
    List<String> segments = new ArrayList<>();
    int start = 1;
    while (start <= path.length()) {
      int end = path.indexOf('/', start);
      int stop = end < 0 ? path.length() : end;
      segments.add(path.substring(start, stop));
      start = stop + 1;
    }
    return segments;
  }
}
