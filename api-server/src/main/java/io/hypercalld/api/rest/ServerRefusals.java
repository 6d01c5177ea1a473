package io.hypercalld.api.rest;

import java.util.Map;
import java.util.Optional;

/** Requests that the HTTP server refuses before they have a route. Thread-safe. */
public final class ServerRefusals {
  private final RequestIds requestIds = new RequestIds();

  /** The answer to a request that the server refuses with a status of its own. */
  public Encoded of(int status, Optional<String> requestId) {
    Problem problem =
        switch (status) {
          case 404, 405, 501 -> Problem.of(Problems.WRONG_METHOD, "no path has this method");
          case 408 -> Problem.of(Problems.REQUEST_TIMEOUT, "the request was not complete in time");
          case 414 -> Problem.of(Problems.URI_TOO_LONG, "the first line has at most 4096 bytes");
          case 431 -> Problem.of(Problems.HEADERS_TOO_LARGE, "headers have at most 8192 bytes");
          case 505 ->
              Problem.of(Problems.VERSION_NOT_SUPPORTED, "the first line names another version");
          case 503 ->
              Problem.of(Problems.SATURATED, "there are too many connections, or too large ones");
          case 413 -> Problem.of(Problems.BODY_TOO_LARGE, "a body has at most 8388608 bytes");
          case 500 -> Problem.of(Problems.INTERNAL, "the request could not be carried out");
          default -> Problem.of(Problems.MALFORMED_REQUEST, "the request cannot be understood");
        };
    String id = requestIds.of(requestId);
    return new Encoded(
            problem.type().status(), Problem.MEDIA_TYPE, problem.encode(id), headers(problem))
        .with("X-Request-Id", id);
  }

  private static Map<String, String> headers(Problem problem) {
    return problem.type().status() == 405
        ? Map.of("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE")
        : problem.type().headers();
  }
}
