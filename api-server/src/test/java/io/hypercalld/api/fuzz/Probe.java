package io.hypercalld.api.fuzz;

import java.util.regex.Pattern;

/**
 * Bytes to send. Immutable.
 *
 * @param alone whether they may be no request, or more than one, and want their own connection
 */
record Probe(String request, boolean alone) {
  /** Nothing of which a server has to end the connection. */
  private static final Pattern TAME =
      Pattern.compile("(GET|HEAD|POST|PUT|PATCH|DELETE) [-/\\w:.?=&]* HTTP/1.1");

  private static final Pattern UPGRADE = Pattern.compile("(?i)\r\n(upgrade|expect):");

  static Probe of(String request) {
    return new Probe(request, false);
  }

  /** Whether others may be sent behind it before it is answered. */
  boolean isTame() {
    int end = request.indexOf("\r\n");
    return !alone
        && end > 0
        && TAME.matcher(request).region(0, end).matches()
        && !UPGRADE.matcher(request).find();
  }

  /** Whether it may change anything where it is accepted. */
  boolean isChange() {
    return !alone && !request.startsWith("GET ") && !request.startsWith("HEAD ");
  }
}
