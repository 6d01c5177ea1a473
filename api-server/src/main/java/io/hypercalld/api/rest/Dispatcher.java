package io.hypercalld.api.rest;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.machine.Overloaded;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a request through its route and always comes back with an answer. Thread-safe.
 *
 * <p>The one place where anything thrown becomes a problem document.
 */
public final class Dispatcher {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private final Router router;
  private final Machines machines;
  private final Trial trial;
  private final Access access;
  private final RequestLog log;
  private final RequestIds requestIds = new RequestIds();
  private volatile boolean draining;

  public Dispatcher(Router router, Machines machines, Trial trial, Access access, RequestLog log) {
    this.router = router;
    this.machines = machines;
    this.trial = trial;
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
    return answer(request.to(place.machine()), match, encoding)
        .exceptionally(failure -> refuse(request, failure, id))
        .thenApply(
            encoded -> {
              log.answered(
                  request.method(), label(match), encoded.status(), System.nanoTime() - began);
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
      checkParameters(route, request);
      Conversation conversation = task.apply(meant);
      String id = requestIds.of(request.header().apply("X-Request-Id"));
      return Optional.of(
          new Talk(place.machine().get().thread(), conversation, peer, encoding, id));
    } catch (Failure e) {
      return Optional.empty();
    }
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
      if (draining) {
        throw Failure.of(Problems.DRAINING, "no new requests are taken").with("Retry-After", "1");
      }
      Grant grant = access.admit(request);
      if (request.machine().isEmpty()) {
        throw machines.unknownOf(request.path());
      }
      return switch (match) {
        case Router.Found(Route route, var places) ->
            handle(route, request.by(grant).at(places), encoding);
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
                    method == Method.GET ? Stream.of("GET", "HEAD") : Stream.of(method.name()))
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

  private CompletableFuture<Encoded> handle(Route route, Request request, Executor encoding) {
    request.grant().check(route, request);
    Preconditions preconditions = Preconditions.of(route, request);
    checkParameters(route, request);
    boolean tried = CommonParameters.isTrial(route, request);
    MachineThread<Machine, ?> machine = request.hosted().thread();
    return switch (route.handling()) {
      case Route.Immediate(Function<Request, Reply> answer) ->
          CompletableFuture.completedFuture(preconditions.apply(answer.apply(request).encode()));
      case Route.Aside(Function<Request, Reply> answer) ->
          CompletableFuture.supplyAsync(() -> answer.apply(request))
              .thenApplyAsync(reply -> preconditions.apply(reply.encode()), encoding);
      case Route.Conversing _ ->
          throw Failure.of(Problems.UPGRADE_REQUIRED, "the request does not ask for an upgrade")
              .with("Upgrade", "websocket");
      case Route.Waiting(Function<Request, Wait<Machine, Reply>> task) -> {
        Wait<Machine, Reply> wait = task.apply(request);
        yield encode(
            tried ? attempt(machine, same(wait::now)) : machine.await(wait),
            preconditions,
            encoding);
      }
      case Route.Beside(Route.Task task) ->
          encode(machine.submit(task.apply(request)), preconditions, encoding);
      case Route.Exchanging(
              Function<Request, Function<Machine, Exchange<Machine, Reply>>> task) -> {
        Trial.Change change = task.apply(request)::apply;
        yield encode(
            tried ? attempt(machine, change) : machine.exchange(change), preconditions, encoding);
      }
      case Route.OnMachine(Route.Task task) -> {
        Trial.Change change = same(preconditions.before(task.apply(request), request));
        yield encode(
            tried ? attempt(machine, change) : machine.exchange(change), preconditions, encoding);
      }
    };
  }

  private static CompletableFuture<Encoded> encode(
      CompletableFuture<Reply> reply, Preconditions preconditions, Executor encoding) {
    return reply.thenApplyAsync(made -> preconditions.apply(made.encode()), encoding);
  }

  private static Trial.Change same(Function<Machine, Reply> work) {
    return machine -> new Exchange<>(machine, work.apply(machine));
  }

  private CompletableFuture<Reply> attempt(MachineThread<Machine, ?> machine, Trial.Change change) {
    return machine.submit(now -> trial.attempt(now, change));
  }

  private static void checkParameters(Route route, Request request) {
    List<String> known =
        Stream.concat(
                route.parameters().stream().map(Parameter::name),
                CommonParameters.of(route).stream().map(Parameter::name))
            .toList();
    for (String name : request.query().keySet()) {
      if (!known.contains(name)) {
        throw Failure.of(
            Problems.INVALID_PARAMETER,
            "unknown query parameter %s%s",
            name,
            Spelling.hint(name, known));
      }
    }
    for (Parameter parameter : route.parameters()) {
      if (parameter.required() && request.parameter(parameter.name()).isEmpty()) {
        throw Failure.of(
            Problems.INVALID_PARAMETER, "the query parameter %s is missing", parameter.name());
      }
    }
    CommonParameters.check(route, request);
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

  private static Encoded refuse(Request request, Throwable thrown, String requestId) {
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
