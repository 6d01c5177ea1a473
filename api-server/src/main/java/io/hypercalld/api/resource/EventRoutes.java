package io.hypercalld.api.resource;

import io.hypercalld.api.event.Event;
import io.hypercalld.api.event.EventFilter;
import io.hypercalld.api.event.EventReader;
import io.hypercalld.api.event.EventStream;
import io.hypercalld.api.event.EventTypes;
import io.hypercalld.api.event.Feed;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** {@code /v1/events}: what happens. Immutable. */
final class EventRoutes {
  private static final String JSON = "application/json";

  private EventRoutes() {}

  /** Events that are kept, and where to go on. */
  record EventsView(
      List<Event.View> items,
      Optional<String> nextCursor,
      String oldest,
      String newest,
      String revision,
      String bootId) {}

  /** A type of event; one that is frequent is only told to who names it. */
  record TypeView(String type, boolean frequent) {}

  static List<Route> routes() {
    return List.of(
        Route.get(
                "/v1/events",
                "What happens: text/event-stream, or by Accept application/x-ndjson, or the last"
                    + " events as application/json")
            .taking(
                Parameter.optional(
                    "types",
                    "types of events with commas between, * at the end for any that begin so;"
                        + " frequent ones are told only where they are named",
                    String.class),
                Parameter.optional("domid", "only about the domain of this number", int.class),
                Parameter.optional("sbdf", "only about this device", String.class),
                Parameter.optional(
                    "since",
                    "the id of the last event that is known, as in Last-Event-ID",
                    String.class),
                Page.LIMIT,
                Page.CURSOR)
            .answering(EventsView.class)
            .streaming(
                new Route.Streaming(
                    EventRoutes::open,
                    EventRoutes::page,
                    List.of("text/event-stream", "application/x-ndjson"))),
        Route.get("/v1/events/types", "Every type of event")
            .answering(Page.ofItems(TypeView.class))
            .by(_ -> Reply.ok(Page.whole(types()))));
  }

  private static List<TypeView> types() {
    return EventTypes.all().stream()
        .map(kind -> new TypeView(kind.type(), kind.isFrequent()))
        .toList();
  }

  private static Optional<Function<Machine, Feed>> open(Request request) {
    EventFilter filter = filter(request);
    Optional<Long> since =
        request.header().apply("Last-Event-ID").map(EventRoutes::id).or(() -> since(request));
    EventStream events = request.hosted().events();
    return format(request.header().apply("Accept").orElse("*/*"))
        .map(format -> _ -> events.read(filter, format, since));
  }

  private static Optional<EventReader.Format> format(String accept) {
    for (EventReader.Format format : EventReader.Format.values()) {
      if (accept.contains(format.mediaType())) {
        return Optional.of(format);
      }
    }
    return accept.contains(JSON) ? Optional.empty() : Optional.of(EventReader.Format.SSE);
  }

  private static Reply page(Request request) {
    EventFilter filter = filter(request);
    EventStream events = request.hosted().events();
    long newest = events.newest();
    long after =
        request
            .parameter("cursor")
            .map(EventRoutes::id)
            .or(() -> since(request))
            .orElse(events.oldest() - 1);
    if (after < events.oldest() - 1 || after > newest) {
      throw Failure.of(
          Problems.CURSOR_EXPIRED, "event %d is not kept any more, or of another daemon", after);
    }
    List<Event> found = events.after(after, filter, Page.limit(request));
    boolean all = found.isEmpty() || found.getLast().id() >= newest;
    return Reply.ok(
        new EventsView(
            found.stream().map(Event::view).toList(),
            all ? Optional.empty() : Optional.of(Long.toString(found.getLast().id())),
            Long.toString(events.oldest()),
            Long.toString(newest),
            Long.toString(events.revision()),
            Long.toString(events.boot())));
  }

  private static Optional<Long> since(Request request) {
    return request.parameter("since").map(EventRoutes::id);
  }

  private static long id(String text) {
    if (!text.matches("[0-9]{1,18}")) {
      throw Failure.of(Problems.INVALID_PARAMETER, "the id of an event is a number, not %s", text);
    }
    return Long.parseLong(text);
  }

  private static EventFilter filter(Request request) {
    return new EventFilter(
        request.parameter("types").map(EventRoutes::kinds),
        Names.count(request, "domid", DomainId.IO.value()).map(DomainId::new),
        request.parameter("sbdf").map(_ -> Names.sbdfParameter(request, "sbdf")));
  }

  private static Set<NoticeKind> kinds(String types) {
    Set<NoticeKind> kinds = new LinkedHashSet<>();
    for (String pattern : types.split(",", -1)) {
      List<NoticeKind> matching = EventFilter.matching(pattern.strip());
      if (matching.isEmpty()) {
        throw Failure.of(
            Problems.INVALID_PARAMETER,
            "no event is of type %s%s",
            pattern,
            Spelling.hint(pattern, EventTypes.all().stream().map(NoticeKind::type).toList()));
      }
      kinds.addAll(matching);
    }
    return kinds;
  }
}
