package io.hypercalld.api;

/** The address cannot be listened on. */
final class CannotListen extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CannotListen(String host, int port, String why) {
    super("cannot listen on %s port %d: %s".formatted(host, port, why), null, false, false);
  }

  CannotListen(java.nio.file.Path socket, String why) {
    super("cannot listen on unix:%s: %s".formatted(socket, why), null, false, false);
  }

  /** What to tell, never null. */
  String line() {
    return String.valueOf(getMessage());
  }
}
