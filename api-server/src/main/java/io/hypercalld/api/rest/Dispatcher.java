package io.hypercalld.api.rest;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.machine.Machine;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Takes a request through its route and always comes back with an answer. Thread-safe. */
public final class Dispatcher {
  /** Who ends is alive until then. */
  private static final String LIVE = "/health/live";

  private static final Map<String, String> NOT_KEPT = Map.of("Cache-Control", "no-store");

  private final Access access;
  private final RequestIds requestIds = new RequestIds();
  private volatile Optional<Offer> offer = Optional.empty();
  private volatile boolean draining;

  /** A dispatcher that turns requests away until it {@linkplain #begin begins}. */
  public Dispatcher(Access access) {
    this.access = access;
  }

  /** A dispatcher that answers requests at once. */
  public Dispatcher(Router router, Machines machines, Trial trial, Access access, RequestLog log) {
    this(access);
    begin(router, machines, trial, log);
  }

  /** From now on requests are answered. */
  public void begin(Router router, Machines machines, Trial trial, RequestLog log) {
    offer = Optional.of(new Offer(router, machines, new RouteWork(trial), log));
  }

  /** From now on every request is turned away. */
  public void drain() {
    draining = true;
  }

  /**
   * Answers a request.
   *
   * @param turn of the connection that it comes from, on whose loop the answer is encoded
   */
  public CompletableFuture<Encoded> dispatch(Request request, Turn turn) {
    long began = System.nanoTime();
    String id = requestIds.of(request.header().apply("X-Request-Id"));
    return offer
        .map(now -> turn.take(() -> answer(now, request.named(id), turn, began)))
        .orElseGet(() -> CompletableFuture.completedFuture(answerEarly(request.named(id), began)))
        .thenApply(
            encoded -> {
              Encoded answer = encoded.with("X-Request-Id", id);
              return request.method().equals("HEAD") ? answer.withoutBody() : answer;
            });
  }

  private CompletableFuture<Encoded> answer(Offer now, Request request, Turn turn, long began) {
    Offer.Aim aim = now.aim(request);
    Optional<HostedMachine> machine = aim.place().machine();
    return attempt(now, request.to(machine), aim.match(), turn)
        .exceptionally(failure -> Thrown.refuse(request, failure, request.id()))
        .thenApply(
            encoded -> {
              long nanos = System.nanoTime() - began;
              now.log().answered(request.method(), label(aim.match()), encoded.status(), nanos);
              RequestLines.write(request, encoded, request.id(), nanos);
              machine.ifPresent(it -> it.requests().add(request, request.id(), encoded.status()));
              return encoded.within(machine);
            });
  }

  /** Whether a request is one whose body is best read while it comes. */
  public boolean takesFile(Request request) {
    return offer
        .map(now -> now.aim(request).match())
        .filter(match -> match instanceof Router.Found(Route route, var _) && route.takesFile())
        .isPresent();
  }

  /** Who starts is alive, and no more than that. */
  private Encoded answerEarly(Request request, long began) {
    Encoded answer;
    try {
      access.admit(request);
      if (!request.path().equals(LIVE)) {
        throw Failure.of(Problems.STARTING, "the machines are not there yet");
      }
      answer = Reply.ok(Map.of("status", "UP")).encode();
    } catch (Failure e) {
      answer = Thrown.refuse(request, e, request.id());
    }
    RequestLines.write(request, answer, request.id(), System.nanoTime() - began);
    return answer;
  }

  /** A request that somebody may make, and the route that it found. */
  private record Admitted(Route route, Request request) {}

  /**
   * The route of a request that no single message answers.
   *
   * @return empty where {@link #dispatch} says why there is none
   * @throws Failure where the same holds
   */
  private Optional<Admitted> admit(Request request) {
    Optional<Offer.Aim> aim = draining ? Optional.empty() : offer.map(now -> now.aim(request));
    if (aim.isEmpty()
        || aim.get().place().machine().isEmpty()
        || !(aim.get().match() instanceof Router.Found(Route route, var places))
        || !route.handling().isLasting()) {
      return Optional.empty();
    }
    Request meant =
        request
            .by(access.admit(request))
            .to(aim.get().place().machine())
            .at(places)
            .named(requestIds.of(request.header().apply("X-Request-Id")));
    meant.grant().check(route, meant);
    RouteWork.checkParameters(route, request);
    return Optional.of(new Admitted(route, meant));
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
      Optional<Admitted> admitted = admit(request);
      if (admitted.isEmpty()
          || !(admitted.get().route.handling() instanceof Route.Conversing(var task))) {
        return Optional.empty();
      }
      Request meant = admitted.get().request;
      return Optional.of(
          new Talk(meant.hosted().thread(), task.apply(meant), peer, encoding, meant.id()));
    } catch (Failure e) {
      return Optional.empty();
    }
  }

  /**
   * Begins an answer that goes on.
   *
   * @param encoding where it is told that it begins: not on the machine's thread
   * @return empty where the request is to be answered by {@link #dispatch}
   */
  public Optional<CompletableFuture<Stream>> stream(Request request, Executor encoding) {
    try {
      Optional<Admitted> admitted = admit(request);
      if (admitted.isEmpty()
          || !(admitted.get().route.handling() instanceof Route.Streaming(var open, _, _))) {
        return Optional.empty();
      }
      return open.apply(admitted.get().request).map(feed -> begin(admitted.get(), feed, encoding));
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
      Admitted admitted, Function<Machine, Feed> open, Executor encoding) {
    long began = System.nanoTime();
    Request request = admitted.request;
    CompletableFuture<Feed> opened;
    try {
      opened = request.hosted().thread().submit(open);
    } catch (RuntimeException e) {
      opened = CompletableFuture.failedFuture(e);
    }
    return opened.handleAsync(
        (feed, thrown) -> {
          Encoded head =
              thrown == null
                  ? new Encoded(200, feed.mediaType(), new byte[0], NOT_KEPT)
                  : Thrown.refuse(request, thrown, request.id());
          long nanos = System.nanoTime() - began;
          String path = admitted.route.path().text();
          offer.ifPresent(now -> now.log().answered(request.method(), path, head.status(), nanos));
          RequestLines.write(request, head, request.id(), nanos);
          request.hosted().requests().add(request, request.id(), head.status());
          return new Stream(head.with("X-Request-Id", request.id()), Optional.ofNullable(feed));
        },
        encoding);
  }

  private static CompletableFuture<Encoded> keyed(
      RouteWork work, Route route, Request request, Turn turn) {
    request.grant().check(route, request);
    Strikes strikes = new Strikes();
    Supplier<CompletableFuture<Encoded>> asked =
        () -> work.handle(route, request, turn.loop(), strikes);
    CompletableFuture<Encoded> answered =
        route.method().changes() ? request.hosted().keys().once(request, asked) : asked.get();
    if (route.isChangedApart()) {
      turn.hold(answered);
    }
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

  private CompletableFuture<Encoded> attempt(
      Offer now, Request request, Router.Match match, Turn turn) {
    try {
      if (draining && !request.path().equals(LIVE)) {
        throw Failure.of(Problems.DRAINING, "no new requests are taken");
      }
      Grant grant = access.admit(request);
      if (request.machine().isEmpty()) {
        throw now.machines().unknownOf(request.path());
      }
      return switch (match) {
        case Router.Found(Route route, var places) ->
            keyed(now.work(), route, request.by(grant).at(places), turn);
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
}
