package io.hypercalld.api.rest;

import java.util.Arrays;
import java.util.Optional;

/** The HTTP methods that resources have. */
public enum Method {
  GET(false),
  POST(true),
  PUT(true),
  PATCH(true),
  DELETE(true);

  private final boolean changes;

  Method(boolean changes) {
    this.changes = changes;
  }

  /** Whether a request may change anything. */
  public boolean changes() {
    return changes;
  }

  static Optional<Method> of(String name) {
    return Arrays.stream(values()).filter(method -> method.name().equals(name)).findFirst();
  }
}
