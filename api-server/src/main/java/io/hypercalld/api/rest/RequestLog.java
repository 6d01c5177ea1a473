package io.hypercalld.api.rest;

/** Is told of every request that has been answered. Thread-safe. */
@FunctionalInterface
public interface RequestLog {
  /**
   * A request has been answered.
   *
   * @param path the template of the route, or a word for what had none
   */
  void answered(String method, String path, int status, long nanos);
}
