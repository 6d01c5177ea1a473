package io.hypercalld.api.resource;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.hypercall.Level;
import io.hypercalld.api.hypercall.MulticallShape;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.Hypercalls;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/hypercalls}: the other face of everything, with Xen's names. Immutable. */
final class HypercallRoutes {
  static final String ONE = "/v1/hypercalls/{call}/{op}";

  private static final Parameter CALLER =
      Parameter.optional(
          "caller", "the domain that calls; left out, the token's, or else 0", int.class);

  private final HypercallCatalogue catalogue;
  private final MulticallShape multicall;

  HypercallRoutes(HypercallCatalogue catalogue) {
    this.catalogue = catalogue;
    this.multicall = new MulticallShape(catalogue);
  }

  /** What came of a hypercall: its number, and what the C struct returns. */
  record Result(long ret, Object out) {}

  /** An operation as it is listed. */
  record OperationView(
      String call,
      String op,
      Level level,
      Optional<String> missing,
      List<String> errnos,
      Object arguments) {}

  List<Route> routes() {
    return List.of(
        Route.get("/v1/hypercalls", "Every hypercall, what it takes and what it may answer")
            .answering(Page.ofItems(OperationView.class))
            .on(request -> machine -> list().tagged(revision(machine))),
        Route.of(Method.POST, ONE, "Makes a hypercall")
            .taking(CALLER)
            .reading(Map.of("type", "object"))
            .answering(Result.class)
            .guardedBy(HypercallRoutes::seen)
            .on(this::call),
        Route.of(Method.POST, "/v1/hypercalls/multicall", "Makes up to 65,536 hypercalls in order")
            .taking(
                CALLER,
                Parameter.optional(
                    "stopOnError", "true: the first refused call is the last", boolean.class))
            .reading(multicall.schema())
            .answering(MulticallAnswer.Results.class)
            .guardedBy(HypercallRoutes::seen)
            .on(this::callAll));
  }

  /** What a caller may have seen of what any hypercall may change. */
  private static Map<String, Long> revision(Machine machine) {
    return Map.of("revision", machine.revision().changes());
  }

  private static Function<Machine, Reply> seen(Request request) {
    return machine -> Reply.ok(revision(machine));
  }

  private Reply list() {
    return Reply.ok(
        Page.whole(
            catalogue.all().stream()
                .map(
                    operation ->
                        new OperationView(
                            operation.call(),
                            operation.op(),
                            operation.level(),
                            operation.missing(),
                            operation.errnos().stream().map(Errno::name).toList(),
                            operation.shape().schema()))
                .toList()));
  }

  private Function<Machine, Reply> call(Request request) {
    Operation<?> operation = operation(request.place("call"), request.place("op"));
    DomainId caller = Names.caller(request);
    Hypercall arguments = request.read(operation.shape());
    request.grant().check(operation.name(), arguments);
    return machine -> {
      Hypercalls.Progress progress = machine.hypercalls().start(caller, arguments);
      return reply(Refusals.require(machine, arguments, progress));
    };
  }

  private Function<Machine, Reply> callAll(Request request) {
    DomainId caller = Names.caller(request);
    boolean stops = request.flag("stopOnError");
    List<Hypercall> calls = request.read(multicall);
    if (request.grant().checksCalls()) {
      calls.forEach(each -> request.grant().check(catalogue.of(each).name(), each));
    }
    return machine -> {
      List<Outcome> outcomes = machine.hypercalls().callAll(caller, calls, stops);
      return new Reply(200, new Reply.Written(new MulticallAnswer(outcomes)), Map.of());
    };
  }

  static Reply reply(Outcome.Success success) {
    return result(new Result(success.ret(), success.out()));
  }

  private static Reply result(Object value) {
    return new Reply(200, new Reply.HypercallResult(value), Map.of());
  }

  private Operation<?> operation(String call, String op) {
    return catalogue
        .find(call, op)
        .orElseThrow(
            () -> {
              boolean known = catalogue.calls().contains(call);
              Optional<String> near =
                  known
                      ? Spelling.nearest(op, catalogue.ops(call)).map(name -> call + "/" + name)
                      : Spelling.nearest(call, catalogue.calls());
              return Failure.of(Problems.UNKNOWN_PATH, "there is no hypercall %s/%s", call, op)
                  .hinting(
                      Optional.of(
                          near.map(name -> "did you mean " + name + "?")
                              .orElse("GET /v1/hypercalls lists them")));
            });
  }
}
