package io.hypercalld.api.rest;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The HTTP methods that resources have. */
public enum Method {
  GET(false),
  POST(true),
  PUT(true),
  PATCH(true),
  DELETE(true);

  private static final Map<String, Method> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Method::name, it -> it));

  private final boolean changes;

  Method(boolean changes) {
    this.changes = changes;
  }

  /** Whether a request may change anything. */
  public boolean changes() {
    return changes;
  }

  static Optional<Method> of(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
