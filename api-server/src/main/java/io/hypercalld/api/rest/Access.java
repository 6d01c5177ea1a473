package io.hypercalld.api.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Set;

/**
 * Who may drive the daemon: nobody's browser page but its own, and, where there is a token, only
 * who presents it. Immutable.
 */
public final class Access {
  private static final String BEARER = "Bearer ";
  private static final Set<String> OWN_NAMES = Set.of("127.0.0.1", "localhost", "[::1]");

  private final Optional<String> token;

  /** Access with a token, or without one from this host only. */
  public Access(Optional<String> token) {
    this.token = token;
  }

  /**
   * Refuses a request that may not be made.
   *
   * @throws Failure 403 for a foreign page, 401 for a missing token
   */
  void check(Request request) {
    request
        .header()
        .apply("Origin")
        .filter(origin -> !isOwn(origin, request.header().apply("Host")))
        .ifPresent(
            origin -> {
              throw Failure.of(
                  Problems.FOREIGN_ORIGIN, "the request comes from a page of %s", origin);
            });
    boolean open = request.path().startsWith("/health/");
    if (!open && token.isPresent() && !presents(request, token.get())) {
      throw Failure.of(Problems.TOKEN_REQUIRED, "the request carries no valid token")
          .with("WWW-Authenticate", "Bearer");
    }
  }

  /**
   * Whether an origin is this daemon. A host name proves nothing, since a page may have its own
   * name resolve to this host; with a token that page would not get far.
   */
  private boolean isOwn(String origin, Optional<String> host) {
    if (host.isEmpty() || !origin.equals("http://" + host.get())) {
      return false;
    }
    String name = host.get().replaceFirst(":[0-9]+$", "");
    return token.isPresent() || OWN_NAMES.contains(name);
  }

  private static boolean presents(Request request, String expected) {
    String presented =
        request
            .header()
            .apply("Authorization")
            .filter(value -> value.startsWith(BEARER))
            .map(value -> value.substring(BEARER.length()))
            .orElse("");
    // Takes as long for a near miss as for a far one.
    return MessageDigest.isEqual(
        presented.getBytes(StandardCharsets.UTF_8), expected.getBytes(StandardCharsets.UTF_8));
  }
}
