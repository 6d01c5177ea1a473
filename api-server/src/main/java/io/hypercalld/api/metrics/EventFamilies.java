package io.hypercalld.api.metrics;

import io.hypercalld.api.event.EventStream;
import java.util.List;
import java.util.TreeMap;

/** A machine's events as metrics. Immutable. */
final class EventFamilies {
  private final EventStream events;

  EventFamilies(EventStream events) {
    this.events = events;
  }

  List<Family> all() {
    Family published = Family.counter("hv_events_published", "Events that happened.");
    events.published().forEach((type, count) -> published.with(count, "type", type));
    Family dropped =
        Family.counter(
            "hv_events_dropped", "Events that were lost, and subscribers cut for being slow.");
    new TreeMap<>(events.dropped()).forEach((why, count) -> dropped.with(count, "reason", why));
    return List.of(
        published,
        dropped,
        Family.gauge("hv_event_subscribers", "Who is told of events now.").with(events.readers()));
  }
}
