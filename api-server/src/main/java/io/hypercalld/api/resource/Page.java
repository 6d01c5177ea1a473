package io.hypercalld.api.resource;

import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Encoded;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Listings;
import io.hypercalld.api.rest.Listings.Listing;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A list, or as much of it as was asked for. Immutable.
 *
 * <p>A cursor is a place in the list as it was when its first page was read: {@code 12-1000} in the
 * twelfth one.
 *
 * @param nextCursor where it goes on; empty at the end
 * @param revision of the machine that it tells of; empty where it tells of none
 */
record Page(List<Object> items, Optional<String> nextCursor, Optional<String> revision)
    implements Reply.Revised {
  static final Parameter LIMIT = Parameter.optional("limit", "most items to answer", int.class);
  static final Parameter CURSOR =
      Parameter.optional(
          "cursor", "nextCursor of the page before; the list is told as it was then", String.class);

  /** Items that are kept of a list which is found out piece by piece. */
  static final int PART = 16_384;

  private static final int MOST = 10_000;
  private static final int USUAL = 1000;
  private static final Pattern PLACE = Pattern.compile("([0-9]{1,18})-([0-9]{1,9})");

  /** Finds out a list, or part of one. */
  interface Source {
    /**
     * What there is.
     *
     * @param from where the part before ended; empty at the beginning
     */
    Part read(Optional<String> from);
  }

  /**
   * What was found out of a list.
   *
   * @param rest where it goes on; empty at the end
   */
  record Part(List<?> items, Optional<String> rest) {}

  /** A page of all there is. */
  static Page whole(List<?> items) {
    return new Page(List.copyOf(items), Optional.empty(), Optional.empty());
  }

  @Override
  public Page of(long now) {
    return revision.isPresent()
        ? this
        : new Page(items, nextCursor, Optional.of(Long.toString(now)));
  }

  static int limit(Request request) {
    int limit = Names.count(request, LIMIT.name(), MOST).orElse(USUAL);
    if (limit == 0) {
      throw Failure.of(Problems.INVALID_PARAMETER, "limit is at least 1");
    }
    return limit;
  }

  /**
   * The page of a machine's list that a request asks for.
   *
   * @throws Failure 400 where the cursor is none of this list's, 410 where it has expired
   */
  static Page of(Request request, Machine machine, Supplier<? extends List<?>> all) {
    return of(request, machine, _ -> new Part(all.get(), Optional.empty()));
  }

  /**
   * As {@link #of(Request, Machine, Supplier)}, of a list that is found out piece by piece. Beyond
   * a piece it goes on as long as the machine has not changed.
   */
  static Page of(Request request, Machine machine, Source source) {
    long revision = machine.revision().changes();
    String subject = subject(request);
    Function<Optional<String>, Listing> reading =
        from -> {
          Part part = source.read(from);
          return new Listing(subject, revision, List.copyOf(part.items), part.rest);
        };
    Optional<String> cursor = request.parameter(CURSOR.name());
    if (cursor.isEmpty()) {
      return first(request, reading.apply(Optional.empty()));
    }
    Matcher place = place(cursor.get());
    Listing known = known(request, Long.parseLong(place.group(1)));
    int start = Integer.parseInt(place.group(2));
    if (start < known.items().size()) {
      return page(request, known, start, place.group(1));
    }
    if (known.rest().isEmpty() || start > known.items().size() || known.revision() != revision) {
      throw expired("the machine has changed, and no more of that list was kept");
    }
    return first(request, reading.apply(known.rest()));
  }

  private static Matcher place(String cursor) {
    Matcher place = PLACE.matcher(cursor);
    if (!place.matches()) {
      throw Failure.of(Problems.INVALID_PARAMETER, "%s is no cursor", cursor);
    }
    return place;
  }

  private static Listing known(Request request, long number) {
    Listing known =
        request
            .hosted()
            .listings()
            .find(number)
            .orElseThrow(() -> expired("the list of the cursor is not kept any more"));
    if (!known.subject().equals(subject(request))) {
      throw Failure.of(Problems.INVALID_PARAMETER, "the cursor is one of %s", known.subject());
    }
    return known;
  }

  private static Failure expired(String why) {
    return Failure.of(Problems.CURSOR_EXPIRED, "%s", why);
  }

  private static Page first(Request request, Listing listing) {
    Listings listings = request.hosted().listings();
    boolean goesOn = listing.items().size() > limit(request) || listing.rest().isPresent();
    return page(request, listing, 0, goesOn ? Long.toString(listings.keep(listing)) : "");
  }

  private static Page page(Request request, Listing listing, int start, String number) {
    int end = Math.min(listing.items().size(), start + limit(request));
    boolean goesOn = end < listing.items().size() || listing.rest().isPresent();
    return new Page(
        listing.items().subList(start, end),
        goesOn ? Optional.of(number + "-" + end) : Optional.empty(),
        Optional.of(Long.toString(listing.revision())));
  }

  /** What a request asks for a list of. */
  private static String subject(Request request) {
    Map<String, List<String>> filters = new TreeMap<>(request.query());
    filters.keySet().removeAll(List.of(LIMIT.name(), CURSOR.name()));
    return filters.isEmpty() ? request.path() : request.path() + " " + filters;
  }

  /** What a route answers that lists such items. */
  static Route.Response ofItems(Class<?> item) {
    Map<String, Object> text = Map.of("type", List.of("string", "null"));
    Map<String, Object> properties = new LinkedHashMap<>();
    properties.put("items", Map.of("type", "array", "items", Shapes.RESOURCES.of(item).schema()));
    properties.put("nextCursor", text);
    properties.put("revision", text);
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    schema.put("properties", properties);
    schema.put("required", List.copyOf(properties.keySet()));
    return new Route.Response(200, "OK", Encoded.JSON, schema);
  }
}
