package io.hypercalld.api.rest;

import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Every way to fail. Immutable. */
public final class Problems {
  public static final ProblemType MALFORMED_BODY =
      ProblemType.of("malformed-body", 400, "The body is not what this path takes");
  public static final ProblemType INVALID_PARAMETER =
      ProblemType.of("invalid-parameter", 400, "A query parameter is not what this path takes");
  public static final ProblemType INVALID_HEADER =
      ProblemType.of("invalid-header", 400, "A header is not what this path takes");
  public static final ProblemType KEY_REUSED =
      ProblemType.of("idempotency-key-reused", 422, "The key belongs to another request")
          .hinting("choose a key for each request, and repeat it only with the same body");
  public static final ProblemType KEY_IN_USE =
      ProblemType.of("idempotency-key-in-use", 409, "The request of this key is under way")
          .hinting("ask again in a moment");
  public static final ProblemType MALFORMED_REQUEST =
      ProblemType.of("malformed-request", 400, "The request is not valid HTTP");
  public static final ProblemType TOKEN_REQUIRED =
      ProblemType.of("token-required", 401, "This daemon wants a token")
          .hinting("send Authorization: Bearer TOKEN");
  public static final ProblemType FOREIGN_ORIGIN =
      ProblemType.of("foreign-origin", 403, "No browser page may drive this daemon");
  public static final ProblemType INSUFFICIENT_SCOPE =
      ProblemType.of("insufficient-scope", 403, "The token does not allow this")
          .hinting("use a token of the scope that is named");
  public static final ProblemType UNKNOWN_PATH =
      ProblemType.of("unknown-path", 404, "There is nothing at this path");
  public static final ProblemType WRONG_METHOD =
      ProblemType.of("wrong-method", 405, "This path does not have that method");
  public static final ProblemType PRECONDITION_FAILED =
      ProblemType.of("precondition-failed", 412, "The resource is not what you have seen")
          .hinting("read it again and decide again");
  public static final ProblemType BODY_TOO_LARGE =
      ProblemType.of("body-too-large", 413, "The body is too large");
  public static final ProblemType REQUEST_TIMEOUT =
      ProblemType.of("request-timeout", 408, "The request took too long to arrive");
  public static final ProblemType URI_TOO_LONG =
      ProblemType.of("uri-too-long", 414, "The first line is too long");
  public static final ProblemType HEADERS_TOO_LARGE =
      ProblemType.of("headers-too-large", 431, "The headers are too large");
  public static final ProblemType VERSION_NOT_SUPPORTED =
      ProblemType.of("version-not-supported", 505, "This daemon speaks HTTP/1.1")
          .hinting("say HTTP/1.1, or HTTP/1.0");
  public static final ProblemType SATURATED =
      ProblemType.of("saturated", 503, "The daemon holds as much as it can")
          .hinting("try again after the time in Retry-After");
  public static final ProblemType UPGRADE_REQUIRED =
      ProblemType.of("upgrade-required", 426, "This path speaks WebSocket")
          .hinting("connect with Upgrade: websocket, or use the path beside it that waits");
  public static final ProblemType NOT_BUILT =
      ProblemType.of("not-built", 501, "This is not built yet");
  public static final ProblemType OVERLOADED =
      ProblemType.of("overloaded", 503, "The machine has more to do than it can queue")
          .hinting("try again after the time in Retry-After");
  public static final ProblemType STARTING =
      ProblemType.of("starting", 503, "The daemon is starting")
          .hinting("try again after the time in Retry-After");
  public static final ProblemType DRAINING =
      ProblemType.of("draining", 503, "The daemon is shutting down");
  public static final ProblemType INTERNAL =
      ProblemType.of("internal-error", 500, "The daemon failed, which is a bug")
          .hinting("the log has the details under the requestId");

  public static final ProblemType DEVICE_BUSY =
      ProblemType.of("device-busy", 409, "Device is already assigned").hinting("deassign it first");
  public static final ProblemType DOMAIN_IDS_EXHAUSTED =
      ProblemType.of("domain-ids-exhausted", 409, "The unit has no free domain-id")
          .hinting("deassign a device that is the last one of its domain behind the same unit");

  public static final ProblemType CURSOR_EXPIRED =
      ProblemType.of("cursor-expired", 410, "The item that the cursor names is gone")
          .hinting("begin the list again, without a cursor");

  private static final List<ProblemType> OWN =
      List.of(
          CURSOR_EXPIRED,
          MALFORMED_BODY,
          INVALID_PARAMETER,
          INVALID_HEADER,
          KEY_REUSED,
          KEY_IN_USE,
          MALFORMED_REQUEST,
          TOKEN_REQUIRED,
          FOREIGN_ORIGIN,
          INSUFFICIENT_SCOPE,
          UNKNOWN_PATH,
          WRONG_METHOD,
          PRECONDITION_FAILED,
          BODY_TOO_LARGE,
          REQUEST_TIMEOUT,
          URI_TOO_LONG,
          HEADERS_TOO_LARGE,
          VERSION_NOT_SUPPORTED,
          SATURATED,
          UPGRADE_REQUIRED,
          NOT_BUILT,
          OVERLOADED,
          STARTING,
          DRAINING,
          INTERNAL,
          DEVICE_BUSY,
          DOMAIN_IDS_EXHAUSTED);

  private Problems() {}

  /** Every type there is. */
  public static List<ProblemType> all() {
    List<ProblemType> all = new ArrayList<>(OWN);
    Arrays.stream(Errno.values()).map(Problems::of).forEach(all::add);
    return all;
  }

  /**
   * What a refusal is over HTTP. The one place where an errno gets its status: one that has no row
   * does not compile.
   */
  public static ProblemType of(Errno errno) {
    return switch (errno) {
      case EPERM -> ProblemType.of("not-permitted", 403, "The caller may not do this");
      case EACCES -> ProblemType.of("access-denied", 403, "Access is denied");
      case EROFS -> ProblemType.of("read-only", 403, "It cannot be written");

      case ESRCH -> ProblemType.of("no-such-domain", 404, "There is no such domain");
      case ENODEV -> ProblemType.of("no-such-device", 404, "There is no such device");
      case ENXIO -> ProblemType.of("no-such-address", 404, "There is nothing at this address");
      case ENOENT -> ProblemType.of("not-found", 404, "There is no such thing");
      case EBADF -> ProblemType.of("broken-device", 404, "The device is broken");
      case ECHILD -> ProblemType.of("no-child", 404, "There is no such child");

      case EBUSY -> ProblemType.of("busy", 409, "It is in use");
      case EEXIST -> ProblemType.of("exists", 409, "It exists already");
      case EXDEV -> ProblemType.of("incompatible", 409, "Two features exclude each other");
      case ENOTEMPTY -> ProblemType.of("not-empty", 409, "It is not empty");
      case EDEADLK -> ProblemType.of("deadlock", 409, "It would wait for itself");
      case EISCONN -> ProblemType.of("connected", 409, "It is connected already");
      case ENOTCONN -> ProblemType.of("not-connected", 409, "It is not connected");
      case EADDRINUSE -> ProblemType.of("address-in-use", 409, "The address is in use");
      case EADDRNOTAVAIL -> ProblemType.of("address-not-available", 409, "The address is not free");
      case EMLINK -> ProblemType.of("too-many-links", 409, "It is linked too often");

      case E2BIG -> ProblemType.of("too-big", 413, "It is too big");
      case EMSGSIZE -> ProblemType.of("message-too-long", 413, "The message is too long");
      case ENAMETOOLONG -> ProblemType.of("name-too-long", 413, "The name is too long");

      case EINVAL -> ProblemType.of("invalid-argument", 422, "An argument is not valid");
      case ERANGE -> ProblemType.of("out-of-range", 422, "A result is out of range");
      case EOVERFLOW -> ProblemType.of("overflow", 422, "A value is too large");
      case EFAULT -> ProblemType.of("bad-address", 422, "An address cannot be accessed");
      case EDOM -> ProblemType.of("out-of-domain", 422, "An argument is out of its domain");
      case EILSEQ -> ProblemType.of("out-of-sequence", 422, "The state does not match");
      case ENODATA -> ProblemType.of("no-data", 422, "There is no data");
      case EBADMSG -> ProblemType.of("bad-message", 422, "The message is bad");
      case ENOEXEC -> ProblemType.of("not-executable", 422, "It cannot be executed");
      case ENOTDIR -> ProblemType.of("not-a-directory", 422, "It has no members");
      case EISDIR -> ProblemType.of("is-a-directory", 422, "It has members");
      case ENOTSOCK -> ProblemType.of("not-a-socket", 422, "It is not a socket");

      case EIO -> ProblemType.of("input-output-error", 502, "The hardware failed");

      case ENOSYS -> ProblemType.of("not-implemented", 501, "This operation is not implemented");
      case EOPNOTSUPP -> ProblemType.of("not-supported", 501, "This is not supported here");

      case EAGAIN -> ProblemType.of("try-again", 503, "It cannot be done now");
      case ERESTART -> ProblemType.of("restart", 503, "It has to be started again");
      case EINTR -> ProblemType.of("interrupted", 503, "It was interrupted");
      case ECONNREFUSED -> ProblemType.of("connection-refused", 503, "Nobody listens there");

      case ETIME -> ProblemType.of("timer-expired", 504, "It took too long");
      case ETIMEDOUT -> ProblemType.of("timed-out", 504, "Nobody answered in time");

      case ENOMEM -> ProblemType.of("out-of-memory", 507, "There is not enough memory");
      case ENOSPC -> ProblemType.of("no-space", 507, "There is no room");
      case ENOBUFS -> ProblemType.of("buffer-too-small", 507, "The buffer is too small");
      case ENFILE -> ProblemType.of("table-full", 507, "The table is full");
      case EMFILE -> ProblemType.of("too-many-open", 507, "Too many are open");
      case ENOLCK -> ProblemType.of("no-locks", 507, "There are no locks left");
    };
  }
}
