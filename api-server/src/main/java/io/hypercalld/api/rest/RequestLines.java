package io.hypercalld.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One line per request in the log: what failed as a warning, with all that its sender was told, and
 * the rest for whoever wants to see it. Immutable.
 */
final class RequestLines {
  private static final Logger LOG = LoggerFactory.getLogger("requests");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String HYPERCALLS = "/v1/hypercalls/";
  private static final int FIRST_FAILURE = 400;

  private RequestLines() {}

  static void write(Request request, Encoded answer, String id, long nanos) {
    boolean failed = answer.status() >= FIRST_FAILURE;
    Level level = failed ? Level.WARN : Level.INFO;
    if (!LOG.isEnabledForLevel(level)) {
      return;
    }
    LoggingEventBuilder line =
        LOG.atLevel(level)
            .addKeyValue("requestId", id)
            .addKeyValue("method", request.method())
            .addKeyValue("path", request.path())
            .addKeyValue("status", answer.status())
            .addKeyValue("micros", TimeUnit.NANOSECONDS.toMicros(nanos));
    for (var member : members(request.path(), answer).entrySet()) {
      line = line.addKeyValue(member.getKey(), member.getValue());
    }
    line.log(failed ? new String(answer.body(), StandardCharsets.UTF_8) : "answered");
  }

  /** What is told of a hypercall besides. */
  private static Map<String, Object> members(String path, Encoded answer) {
    Map<String, Object> members = new LinkedHashMap<>();
    call(path).ifPresent(call -> members.put("call", call));
    ret(path, answer).ifPresent(ret -> members.put("ret", ret));
    return members;
  }

  /** {@code domctl.assign_device}. */
  private static Optional<String> call(String path) {
    int at = path.indexOf(HYPERCALLS);
    return at < 0
        ? Optional.empty()
        : Optional.of(path.substring(at + HYPERCALLS.length()).replace('/', '.'));
  }

  private static Optional<Long> ret(String path, Encoded answer) {
    if (!path.contains(HYPERCALLS) || answer.body().length == 0) {
      return Optional.empty();
    }
    try {
      JsonNode ret = JSON.readTree(answer.body()).path("ret");
      return ret.isIntegralNumber() ? Optional.of(ret.asLong()) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
