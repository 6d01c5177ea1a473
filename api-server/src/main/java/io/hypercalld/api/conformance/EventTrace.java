package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The events of a capture, taken one after the other. Confined to one thread. */
final class EventTrace {
  private final List<JsonNode> events;
  private int next;

  EventTrace(List<JsonNode> events) {
    this.events = events;
  }

  boolean isOver() {
    return next == events.size();
  }

  /** How many have been taken. */
  int position() {
    return next;
  }

  JsonNode take() {
    return events.get(next++);
  }

  boolean nextIs(String kind) {
    return is(next, kind);
  }

  /** Whether there is an event of a kind at a place. */
  boolean is(int place, String kind) {
    return place < events.size() && kind(at(place)).equals(kind);
  }

  JsonNode at(int place) {
    return events.get(place);
  }

  static String kind(JsonNode event) {
    return event.path(0).asText();
  }

  /**
   * An argument of an event, counted from 1.
   *
   * @throws UnreadableRecording where it has fewer
   */
  static long number(JsonNode event, int index) {
    if (!event.has(index)) {
      throw new UnreadableRecording("an event with fewer arguments than its kind has: " + event);
    }
    return Members.number(event.get(index));
  }
}
