package io.hypercalld.api.rest;

import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.machine.OwnThread;
import io.hypercalld.api.machine.Wait;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Has what stands behind a route done, by whoever is to do it. Thread-safe. */
final class RouteWork {
  private static final Executor OWN_THREAD = new OwnThread();

  private final Trial trial;

  RouteWork(Trial trial) {
    this.trial = trial;
  }

  /** Has a route do what it is for. */
  CompletableFuture<Encoded> handle(
      Route route, Request request, Executor encoding, Strikes strikes) {
    Preconditions preconditions = Preconditions.of(route, request);
    checkParameters(route, request);
    boolean tried = CommonParameters.isTrial(route, request);
    MachineThread<Machine, ?> machine = request.hosted().thread();
    return switch (route.handling()) {
      case Route.Immediate(Function<Request, Reply> answer) ->
          CompletableFuture.completedFuture(preconditions.apply(answer.apply(request).encode()));
      case Route.Aside(Function<Request, Reply> answer, var preview) -> {
        Function<Request, Reply> work = tried ? preview.orElse(answer) : answer;
        yield encode(
            looked(machine, preconditions, request)
                .thenApplyAsync(_ -> preconditions.onlyNew(() -> work.apply(request))),
            preconditions,
            encoding);
      }
      case Route.Replacing(Function<Request, Replacement> preparation) ->
          encode(
              looked(machine, preconditions, request)
                  .thenApplyAsync(_ -> preparation.apply(request), OWN_THREAD)
                  .thenCompose(
                      ready -> {
                        Trial.Change change = preconditions.before(ready, request)::apply;
                        return settled(() -> make(machine, request, strikes, change), ready);
                      }),
              preconditions,
              encoding);
      case Route.Conversing _ ->
          throw Failure.of(Problems.UPGRADE_REQUIRED, "the request does not ask for an upgrade")
              .with("Upgrade", "websocket");
      case Route.Streaming(var _, Function<Request, Reply> otherwise, var _) ->
          CompletableFuture.completedFuture(preconditions.apply(otherwise.apply(request).encode()));
      case Route.Waiting(Function<Request, Wait<Machine, Reply>> task) -> {
        Wait<Machine, Reply> asked = task.apply(request);
        Wait<Machine, Reply> wait =
            preconditions.isNone() ? asked : asked.after(preconditions.look(request));
        yield encode(
            tried
                ? attempt(machine, same(wait::now))
                : machine.await(
                    new Wait<>(told(request, strikes, wait.attempt()), wait.giveUp(), wait.most())),
            preconditions,
            encoding);
      }
      case Route.Beside(Route.Task task, Route.Task preview) -> {
        Function<Machine, Reply> work =
            preconditions.before((tried ? preview : task).apply(request), request);
        yield encode(machine.submit(told(request, strikes, work)), preconditions, encoding);
      }
      case Route.Exchanging(
              Function<Request, Function<Machine, Exchange<Machine, Reply>>> task) -> {
        Trial.Change change = preconditions.before(task.apply(request), request)::apply;
        yield encode(make(machine, request, strikes, change), preconditions, encoding);
      }
      case Route.OnMachine(Route.Task task) -> {
        Function<Machine, Reply> work = preconditions.before(task.apply(request), request);
        Trial.Change change = same(now -> work.apply(now).of(now.revision().changes()));
        yield encode(make(machine, request, strikes, change), preconditions, encoding);
      }
    };
  }

  private static CompletableFuture<Boolean> looked(
      MachineThread<Machine, ?> machine, Preconditions preconditions, Request request) {
    if (preconditions.isNone()) {
      return CompletableFuture.completedFuture(true);
    }
    Consumer<Machine> look = preconditions.look(request);
    return machine.submit(
        now -> {
          look.accept(now);
          return true;
        });
  }

  private CompletableFuture<Reply> make(
      MachineThread<Machine, ?> machine, Request request, Strikes strikes, Trial.Change change) {
    return request.flag(CommonParameters.DRY_RUN.name())
        ? attempt(machine, change)
        : machine.exchange(toldOf(request, strikes, change));
  }

  /** Puts a machine in the place of another, or has it go. */
  private static CompletableFuture<Reply> settled(
      Supplier<CompletableFuture<Reply>> change, Replacement ready) {
    CompletableFuture<Reply> made;
    try {
      made = change.get();
    } catch (RuntimeException e) {
      made = CompletableFuture.failedFuture(e);
    }
    return made.whenComplete(
        (_, thrown) -> {
          if (thrown != null) {
            ready.abandon();
          }
        });
  }

  private static CompletableFuture<Encoded> encode(
      CompletableFuture<Reply> reply, Preconditions preconditions, Executor encoding) {
    // Failures, too: what follows a failed future at once would follow on the machine's thread.
    return reply.handleAsync(
        (made, thrown) -> {
          if (thrown != null) {
            throw new CompletionException(thrown);
          }
          return preconditions.apply(made.encode());
        },
        encoding);
  }

  /** Says in whose name it happens what the work makes happen. */
  private static <T> Function<Machine, T> told(
      Request request, Strikes strikes, Function<? super Machine, T> work) {
    return machine -> toldOf(request, strikes, on(work)).apply(machine).result();
  }

  private static <T> Function<Machine, Exchange<Machine, T>> on(Function<? super Machine, T> work) {
    return machine -> new Exchange<>(machine, work.apply(machine));
  }

  private static <T> Function<Machine, Exchange<Machine, T>> toldOf(
      Request request, Strikes strikes, Function<Machine, Exchange<Machine, T>> change) {
    return machine -> {
      Machine after = machine;
      try {
        Exchange<Machine, T> done = change.apply(machine);
        after = done.machine();
        done.settled().run();
        if (after != machine) {
          // Its revisions are others, though their numbers may be the same.
          request.hosted().listings().clear();
        }
        strikes.note(after, Optional.empty());
        return done;
      } catch (RuntimeException e) {
        strikes.note(machine, Thrown.errno(e));
        throw strikes.blame(e, request.id());
      } finally {
        if (after == machine) {
          machine.journal().weigh(request.body().length());
        }
        request.hosted().events().publish(after, Optional.of(request.id()));
      }
    };
  }

  private static Trial.Change same(Function<Machine, Reply> work) {
    return machine -> new Exchange<>(machine, work.apply(machine));
  }

  private CompletableFuture<Reply> attempt(MachineThread<Machine, ?> machine, Trial.Change change) {
    return machine.submit(now -> trial.attempt(now, change));
  }

  /**
   * Refuses parameters that the route does not have, or lacks.
   *
   * @throws Failure 400
   */
  static void checkParameters(Route route, Request request) {
    if (!request.query().isEmpty()) {
      checkNames(route, request);
    }
    for (Parameter parameter : route.parameters()) {
      if (parameter.required() && request.parameter(parameter.name()).isEmpty()) {
        throw Failure.of(
            Problems.INVALID_PARAMETER, "the query parameter %s is missing", parameter.name());
      }
    }
    CommonParameters.check(request);
  }

  private static void checkNames(Route route, Request request) {
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
  }
}
