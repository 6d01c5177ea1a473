package io.hypercalld.api.resource;

import io.hypercalld.api.machine.AnswerRequest;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.TakeBuffered;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PendingIo;
import io.hypercalld.ioreq.page.BufferedRing;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.IoServer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What a device model is asked, and its answers. Immutable. */
final class IoRequestRoutes {
  private static final String REQUESTS = IoServerRoutes.ONE + "/requests";

  /** In place of a request's number: the oldest that nobody waits for. */
  private static final String BUFFERED = "buffered";

  private IoRequestRoutes() {}

  /** Which way bytes go. */
  enum Direction {
    READ,
    WRITE
  }

  /**
   * A request.
   *
   * @param id its number; empty where nobody waits for it
   * @param address of memory, a port, or {@code sbdf << 32 | register}
   * @param data what is written, or where the data is; empty for a read
   * @param state of the slot: ready 1, in process 2, answered 3
   * @param ageNanos how long it waits, by the machine's clock
   */
  record RequestView(
      Optional<Long> id,
      Optional<Integer> vcpu,
      RequestType type,
      Direction dir,
      Word address,
      int size,
      long count,
      boolean df,
      boolean dataIsPtr,
      Optional<Word> data,
      Optional<Integer> state,
      Optional<Long> ageNanos) {}

  /**
   * Requests without an answer, oldest first.
   *
   * @param buffered those that nobody waits for
   */
  record RequestsView(
      List<RequestView> items, List<RequestView> buffered, Optional<String> nextCursor) {}

  /** What was read; of no meaning for a write. */
  record ResponseBody(Optional<Word> data) {}

  static List<Route> routes() {
    return List.of(
        Route.get(REQUESTS, "What a device model is asked and has not answered")
            .taking(
                Parameter.optional(
                    "wait", "how long to wait until there is something: 30s", String.class))
            .answering(RequestsView.class)
            .waiting(IoRequestRoutes::list),
        Route.of(
                Method.POST,
                REQUESTS + "/{rid}/response",
                "Answers a request; 'buffered' takes the oldest that nobody waits for")
            .reading(ResponseBody.class)
            .on(IoRequestRoutes::respond));
  }

  private static Wait<Machine, Reply> list(Request request) {
    Names.DomainName name = Names.domain(request);
    Function<Machine, RequestsView> waiting =
        machine -> {
          Domain domain = name.in(machine.hypervisor().domains());
          return view(machine, domain, IoServerRoutes.find(request, domain));
        };
    return new Wait<>(
        machine ->
            Optional.of(waiting.apply(machine))
                .filter(view -> !view.items.isEmpty() || !view.buffered.isEmpty())
                .map(Reply::ok),
        machine -> Reply.ok(waiting.apply(machine)),
        Waits.parameter(request));
  }

  static RequestsView view(Machine machine, Domain domain, IoServer server) {
    long now = machine.hypervisor().clock().now();
    List<RequestView> items =
        domain.facet(DomainIo.class).pending(server.id()).stream()
            .map(pending -> view(pending, now))
            .toList();
    List<RequestView> buffered =
        server.pages().ring().map(BufferedRing::waiting).orElse(List.of()).stream()
            .map(IoRequestRoutes::view)
            .toList();
    return new RequestsView(items, buffered, Optional.empty());
  }

  static RequestView view(PendingIo pending, long now) {
    return view(pending.request(), Optional.of(pending), now);
  }

  /** One that nobody waits for. */
  static RequestView view(IoRequest buffered) {
    return view(buffered, Optional.empty(), 0);
  }

  private static RequestView view(IoRequest request, Optional<PendingIo> pending, long now) {
    boolean reads = request.flags().reads();
    boolean carries = !reads || request.flags().pointer();
    return new RequestView(
        pending.map(PendingIo::number),
        pending.map(PendingIo::vcpu),
        request.type(),
        reads ? Direction.READ : Direction.WRITE,
        new Word(request.address()),
        request.size(),
        request.count(),
        request.flags().down(),
        request.flags().pointer(),
        carries ? Optional.of(new Word(request.data())) : Optional.empty(),
        pending.map(one -> one.slot().state()),
        pending.map(one -> now - one.since()));
  }

  private static Function<Machine, Reply> respond(Request request) {
    Names.DomainName name = Names.domain(request);
    int server = (int) Names.number(request, "id");
    boolean buffered = request.place("rid").equals(BUFFERED);
    long number = buffered ? 0 : Names.number(request, "rid");
    Word data = request.read(ResponseBody.class).data.orElse(new Word(0));
    return machine -> {
      Domain domain = translated(name.in(machine.hypervisor().domains()));
      if (buffered) {
        machine.execute(new TakeBuffered(domain.id(), server));
      } else {
        machine.execute(new AnswerRequest(domain.id(), server, number, data));
      }
      return Reply.done();
    };
  }

  static Domain translated(Domain domain) {
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV and has no device models", domain.id());
    }
    return domain;
  }
}
