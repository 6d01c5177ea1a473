package io.hypercalld.api.rest;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Overloaded;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place where anything thrown becomes a problem document. Never instantiated. */
final class Thrown {
  private static final Logger LOG = LoggerFactory.getLogger(Thrown.class);

  private Thrown() {}

  private static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** What whatever was thrown is to whoever asked. */
  static Failure failure(Throwable thrown, String requestId) {
    return switch (unwrap(thrown)) {
      case Failure known -> known;
      case InvalidBody body ->
          Failure.of(Problems.MALFORMED_BODY, "%s", body.detail()).at(body.pointer());
      case Refusal refusal -> Failure.of(refusal.errno(), refusal.reason());
      case Overloaded _ ->
          Failure.of(Problems.OVERLOADED, "the queue is full, nothing was executed");
      default -> {
        LOG.error("request {} failed", requestId, thrown);
        yield Failure.of(Problems.INTERNAL, "the request could not be carried out");
      }
    };
  }

  /** What the hypervisor refuses with what was thrown. */
  static Optional<Errno> errno(Throwable thrown) {
    return switch (thrown) {
      case Failure known -> known.problem().errno();
      case Refusal refusal -> Optional.of(refusal.errno());
      default -> Optional.empty();
    };
  }

  static Encoded refuse(Request request, Throwable thrown, String requestId) {
    Failure failure = failure(thrown, requestId);
    return CommonParameters.wantsEnvelope(request) && failure.problem().errno().isPresent()
        ? Envelope.of(failure.problem()).encode()
        : new Encoded(
            failure.problem().type().status(),
            Problem.MEDIA_TYPE,
            failure.problem().encode(requestId),
            failure.headers());
  }
}
