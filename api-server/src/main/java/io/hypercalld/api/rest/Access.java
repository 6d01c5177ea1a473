package io.hypercalld.api.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Who may drive the daemon: nobody's browser page but its own, and, where there are tokens, only
 * who presents one of them. Immutable.
 */
public final class Access {
  private static final String BEARER = "Bearer ";
  private static final Set<String> OWN_NAMES = Set.of("127.0.0.1", "localhost", "[::1]");

  private final List<Credential> credentials;

  /** A token, and what it is good for. Immutable. */
  public record Credential(String token, Grant grant) {
    private boolean isPresented(byte[] text) {
      // Takes as long for a near miss as for a far one.
      return MessageDigest.isEqual(text, token.getBytes(StandardCharsets.UTF_8));
    }

    /** Says nothing of the token. */
    @Override
    public String toString() {
      return grant.toString();
    }
  }

  /** Access with one of these tokens; where there is none, for everybody who gets here. */
  public Access(List<Credential> credentials) {
    this.credentials = List.copyOf(credentials);
  }

  /**
   * What the sender of a request may do.
   *
   * @throws Failure 403 for a foreign page, 401 for a missing token
   */
  Grant admit(Request request) {
    request
        .header()
        .apply("Origin")
        .filter(origin -> !isOwn(origin, request.header().apply("Host")))
        .ifPresent(
            origin -> {
              throw Failure.of(
                  Problems.FOREIGN_ORIGIN, "the request comes from a page of %s", origin);
            });
    if (credentials.isEmpty()) {
      return Grant.EVERYTHING;
    }
    Optional<Grant> granted = presented(request);
    if (granted.isEmpty() && !request.path().startsWith("/health/")) {
      throw Failure.of(Problems.TOKEN_REQUIRED, "the request carries no valid token")
          .with("WWW-Authenticate", "Bearer");
    }
    return granted.orElse(Grant.HEALTH);
  }

  /**
   * Whether an origin is this daemon. A host name proves nothing, since a page may have its own
   * name resolve to this host; with a token that page would not get far.
   */
  private boolean isOwn(String origin, Optional<String> host) {
    if (host.isEmpty() || !origin.replaceFirst("^https?://", "").equals(host.get())) {
      return false;
    }
    String name = host.get().replaceFirst(":[0-9]+$", "");
    return !credentials.isEmpty() || OWN_NAMES.contains(name);
  }

  private Optional<Grant> presented(Request request) {
    byte[] text =
        request
            .header()
            .apply("Authorization")
            .filter(value -> value.startsWith(BEARER))
            .map(value -> value.substring(BEARER.length()))
            .orElse("")
            .getBytes(StandardCharsets.UTF_8);
    return credentials.stream()
        .filter(credential -> credential.isPresented(text))
        .map(Credential::grant)
        .findFirst();
  }
}
