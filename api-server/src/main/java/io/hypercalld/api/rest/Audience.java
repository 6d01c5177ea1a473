package io.hypercalld.api.rest;

import java.util.List;

/** Whom a route is meant for, apart from those who may do everything. */
enum Audience {
  /** Whoever is let in at all: it tells of the program, not of a machine. */
  ANYBODY,
  /** Who makes hypercalls, which are checked one by one. */
  CALLERS,
  /** The domain that the path names, which does this itself. */
  GUEST,
  /** The domain that the path names, and its device model: it tells of that domain. */
  GUEST_OR_MODEL,
  /** The device model of the domain that the path names. */
  MODEL,
  /** The same, and who looks. */
  MODEL_OR_READER,
  /** Who looks. */
  READERS,
  /** Nobody else. */
  CONTROLLERS;

  private static final String DOMAIN = "/v1/domains/{d}";
  private static final List<String> PROGRAM =
      List.of("/v1/hypercalls", "/v1/policies", "/problems", "/openapi", "/docs", "/health");

  /** Whom a route is for. */
  static Audience of(Route route) {
    String path = route.path().text();
    boolean looks = !route.method().changes();
    if (path.startsWith("/v1/hypercalls/")) {
      return CALLERS;
    }
    if (looks && (path.equals("/v1") || PROGRAM.stream().anyMatch(path::startsWith))) {
      return ANYBODY;
    }
    boolean ofDomain = path.equals(DOMAIN) || path.startsWith(DOMAIN + "/");
    if (ofDomain && isModels(path.substring(DOMAIN.length()))) {
      return looks ? MODEL_OR_READER : MODEL;
    }
    if (ofDomain && looks) {
      return GUEST_OR_MODEL;
    }
    if (ofDomain && isGuests(path.substring(DOMAIN.length()))) {
      return GUEST;
    }
    return looks ? READERS : CONTROLLERS;
  }

  /** The least scope of which somebody belongs to it. */
  Scope least() {
    return switch (this) {
      case ANYBODY, GUEST_OR_MODEL, MODEL_OR_READER, READERS -> Scope.READ;
      case CALLERS, GUEST -> Scope.GUEST;
      case MODEL -> Scope.DM;
      case CONTROLLERS -> Scope.CONTROL;
    };
  }

  private static boolean isModels(String within) {
    return within.startsWith("/ioreq-servers") || within.equals("/memory");
  }

  private static boolean isGuests(String within) {
    return within.equals("/accesses")
        || within.equals("/vcpus/{v}/access")
        || within.equals("/vcpus/{v}/io");
  }
}
