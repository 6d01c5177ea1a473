package io.hypercalld.api.rest;

/**
 * What there is to be asked. Immutable.
 *
 * @param log is told of what was
 */
record Offer(Router router, Machines machines, RouteWork work, RequestLog log) {
  /** Whom a request is about, and what of it. */
  record Aim(Machines.Place place, Router.Match match) {}

  /** Where a request goes; HEAD goes where GET does. */
  Aim aim(Request request) {
    Machines.Place place = machines.locate(request.path());
    String method = request.method().equals("HEAD") ? "GET" : request.method();
    return new Aim(place, router.match(Method.of(method), place.path()));
  }
}
