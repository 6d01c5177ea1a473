package io.hypercalld.api.rest;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.Overloaded;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a request through its route and always comes back with an answer. Thread-safe.
 *
 * <p>The one place where anything thrown becomes a problem document.
 */
public final class Dispatcher {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  /** Who ends is alive until then. */
  private static final String LIVE = "/health/live";

  private static final Map<String, String> NOT_KEPT = Map.of("Cache-Control", "no-store");

  private final Router router;
  private final Machines machines;
  private final RouteWork work;
  private final Access access;
  private final RequestLog log;
  private final RequestIds requestIds = new RequestIds();
  private volatile boolean draining;

  public Dispatcher(Router router, Machines machines, Trial trial, Access access, RequestLog log) {
    this.router = router;
    this.machines = machines;
    this.work = new RouteWork(trial);
    this.access = access;
    this.log = log;
  }

  /** From now on every request is turned away. */
  public void drain() {
    draining = true;
  }

  /**
   * Answers a request.
   *
   * @param encoding where the answer is encoded: not on the machine's thread
   */
  public CompletableFuture<Encoded> dispatch(Request request, Executor encoding) {
    long began = System.nanoTime();
    String id = requestIds.of(request.header().apply("X-Request-Id"));
    Machines.Place place = machines.locate(request.path());
    Router.Match match =
        router.match(
            Method.of(request.method().equals("HEAD") ? "GET" : request.method()), place.path());
    return answer(request.to(place.machine()).named(id), match, encoding)
        .exceptionally(failure -> refuse(request, failure, id))
        .thenApply(
            encoded -> {
              long nanos = System.nanoTime() - began;
              log.answered(request.method(), label(match), encoded.status(), nanos);
              RequestLines.write(request, encoded, id, nanos);
              place.machine().ifPresent(it -> it.requests().add(request, id, encoded.status()));
              Encoded answer = encoded.within(place.machine()).with("X-Request-Id", id);
              return request.method().equals("HEAD") ? answer.withoutBody() : answer;
            });
  }

  /**
   * Begins a conversation.
   *
   * @param peer with whom
   * @param encoding where messages are encoded: not on the machine's thread
   * @return empty where it is not to be had, for which {@link #dispatch} says why
   */
  public Optional<Talk> converse(Request request, Executor encoding, Talk.Peer peer) {
    try {
      Machines.Place place = machines.locate(request.path());
      if (draining
          || place.machine().isEmpty()
          || !(router.match(Method.of(request.method()), place.path())
              instanceof Router.Found(Route route, var places))
          || !(route.handling() instanceof Route.Conversing(var task))) {
        return Optional.empty();
      }
      Request meant = request.by(access.admit(request)).to(place.machine()).at(places);
      meant.grant().check(route, meant);
      RouteWork.checkParameters(route, request);
      Conversation conversation = task.apply(meant);
      String id = requestIds.of(request.header().apply("X-Request-Id"));
      return Optional.of(
          new Talk(place.machine().get().thread(), conversation, peer, encoding, id));
    } catch (Failure e) {
      return Optional.empty();
    }
  }

  /**
   * Begins an answer that goes on.
   *
   * @return empty where the request is to be answered by {@link #dispatch}
   */
  public Optional<CompletableFuture<Stream>> stream(Request request) {
    try {
      Machines.Place place = machines.locate(request.path());
      if (draining
          || place.machine().isEmpty()
          || !(router.match(Method.of(request.method()), place.path())
              instanceof Router.Found(Route route, var places))
          || !(route.handling() instanceof Route.Streaming(var open, var _, var _))) {
        return Optional.empty();
      }
      String id = requestIds.of(request.header().apply("X-Request-Id"));
      Request named = request.by(access.admit(request)).to(place.machine()).at(places).named(id);
      named.grant().check(route, named);
      RouteWork.checkParameters(route, request);
      return open.apply(named).map(feed -> begin(named, route, feed));
    } catch (RuntimeException e) {
      // What is wrong with it is said by whoever answers it in full.
      return Optional.empty();
    }
  }

  /**
   * An answer that goes on, or the one that says why there is none.
   *
   * @param head of no content where {@code feed} is there
   */
  public record Stream(Encoded head, Optional<Feed> feed) {}

  private CompletableFuture<Stream> begin(
      Request request, Route route, Function<Machine, Feed> open) {
    long began = System.nanoTime();
    CompletableFuture<Feed> opened;
    try {
      opened = request.hosted().thread().submit(open);
    } catch (RuntimeException e) {
      opened = CompletableFuture.failedFuture(e);
    }
    return opened
        .thenApply(
            feed ->
                new Stream(
                    new Encoded(200, feed.mediaType(), new byte[0], NOT_KEPT), Optional.of(feed)))
        .exceptionally(
            thrown -> new Stream(refuse(request, thrown, request.id()), Optional.empty()))
        .thenApply(
            stream -> {
              int status = stream.head.status();
              long nanos = System.nanoTime() - began;
              log.answered(request.method(), route.path().text(), status, nanos);
              RequestLines.write(request, stream.head, request.id(), nanos);
              request.hosted().requests().add(request, request.id(), status);
              return new Stream(stream.head.with("X-Request-Id", request.id()), stream.feed);
            });
  }

  private CompletableFuture<Encoded> keyed(Route route, Request request, Executor encoding) {
    request.grant().check(route, request);
    Strikes strikes = new Strikes();
    Supplier<CompletableFuture<Encoded>> asked =
        () -> work.handle(route, request, encoding, strikes);
    CompletableFuture<Encoded> answered =
        route.method().changes() ? request.hosted().keys().once(request, asked) : asked.get();
    CompletableFuture<Encoded> sent = new CompletableFuture<>();
    var unused = answered.whenComplete((answer, thrown) -> strikes.end(sent, answer, thrown));
    return sent;
  }

  private static String label(Router.Match match) {
    return switch (match) {
      case Router.Found(Route route, var _) -> route.path().text();
      case Router.WrongMethod _ -> "WRONG_METHOD";
      case Router.Unknown _ -> "NOT_FOUND";
    };
  }

  private CompletableFuture<Encoded> answer(
      Request request, Router.Match match, Executor encoding) {
    try {
      if (draining && !request.path().equals(LIVE)) {
        throw Failure.of(Problems.DRAINING, "no new requests are taken").with("Retry-After", "1");
      }
      Grant grant = access.admit(request);
      if (request.machine().isEmpty()) {
        throw machines.unknownOf(request.path());
      }
      return switch (match) {
        case Router.Found(Route route, var places) ->
            keyed(route, request.by(grant).at(places), encoding);
        case Router.WrongMethod(var allowed) -> throw wrongMethod(request, allowed);
        case Router.Unknown(List<String> near) -> throw unknownPath(request, near);
      };
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private static Failure wrongMethod(Request request, java.util.Set<Method> allowed) {
    String allow =
        allowed.stream()
            .flatMap(
                method ->
                    method == Method.GET
                        ? java.util.stream.Stream.of("GET", "HEAD")
                        : java.util.stream.Stream.of(method.name()))
            .collect(Collectors.joining(", "));
    return Failure.of(
            Problems.WRONG_METHOD, "%s has %s, not %s", request.path(), allow, request.method())
        .with("Allow", allow);
  }

  private static Failure unknownPath(Request request, List<String> near) {
    Failure failure = Failure.of(Problems.UNKNOWN_PATH, "%s does not exist", request.path());
    return near.isEmpty()
        ? failure.hinting(Optional.of("GET /v1 lists what does"))
        : failure.hinting(Optional.of("near it: " + String.join(", ", near)));
  }

  private static Throwable unwrap(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /** What whatever was thrown is to whoever asked. */
  static Failure failure(Throwable thrown, String requestId) {
    return switch (unwrap(thrown)) {
      case Failure known -> known;
      case InvalidBody body ->
          Failure.of(Problems.MALFORMED_BODY, "%s", body.detail()).at(body.pointer());
      case Refusal refusal -> Failure.of(refusal.errno(), refusal.reason());
      case Overloaded _ ->
          Failure.of(Problems.OVERLOADED, "the queue is full, nothing was executed")
              .with("Retry-After", "1");
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
