package io.hypercalld.api.resource;

import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.Shape;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.machine.AnswerRequest;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.TakeBuffered;
import io.hypercalld.api.machine.Wait;
import io.hypercalld.api.resource.IoRequestRoutes.RequestView;
import io.hypercalld.api.resource.IoRequestRoutes.RequestsView;
import io.hypercalld.api.rest.Conversation;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PendingIo;
import io.hypercalld.ioreq.page.BufferedRing;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.server.IoServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A device model on a WebSocket: what it is asked goes out as it comes about, its answers come in.
 * Confined to the machine thread once it has begun.
 *
 * <p>What is unanswered is the domain's state and not the connection's: whoever connects is told of
 * all of it, whether it was told somebody before or not. So no request is lost with a connection.
 */
final class IoStream implements Conversation {
  private static final int USUAL_WINDOW = 256;
  private static final int MOST_WINDOW = 4096;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Shape<Message> MESSAGE = Shapes.RESOURCES.of(Message.class);

  private final Names.DomainName domain;
  private final Request request;
  private final int window;
  private Optional<IoServer> server = Optional.empty();
  private long told;
  private long toldBuffered = Long.MIN_VALUE;

  /**
   * What a device model says.
   *
   * @param responses its answers, in the order in which they take effect
   * @param taken how many of the oldest buffered requests it is done with
   */
  record Message(@OrElse("[]") List<Answer> responses, @OrElse("0") int taken) {}

  /**
   * An answer.
   *
   * @param data what was read; of no meaning for a write
   */
  record Answer(long rid, Optional<Word> data) {}

  private IoStream(Request request) {
    this.domain = Names.domain(request);
    this.request = request;
    this.window = Names.count(request, "window", MOST_WINDOW).orElse(USUAL_WINDOW);
    if (window == 0) {
      throw Failure.of(
          Problems.INVALID_PARAMETER, "a window of 0 requests lets none through, at least 1 does");
    }
  }

  static List<Route> routes() {
    return List.of(
        Route.get(
                IoServerRoutes.ONE + "/stream",
                "WebSocket: what .../requests tells goes out as messages, and"
                    + " {\"responses\":[{\"rid\":1,\"data\":\"0x0\"}],\"taken\":0} answers;"
                    + " what is wrong with an answer comes back as {\"rid\":1,\"problem\":{}}")
            .taking(
                Parameter.optional(
                    "window",
                    "how many requests may be told and unanswered: 1 to 4096, 256 if left out",
                    int.class))
            .answering(new Route.Response(101, "A WebSocket", "", Map.of()))
            .conversing(IoStream::new));
  }

  @Override
  public Wait<Machine, Optional<Object>> next() {
    return new Wait<>(this::told, _ -> Optional.empty(), PATIENCE);
  }

  /** What there is to tell, once there is something. */
  private Optional<Optional<Object>> told(Machine machine) {
    Optional<RequestsView> news = news(machine);
    return news.isEmpty() ? Optional.empty() : Optional.of(Optional.of(news.get()));
  }

  private Optional<RequestsView> news(Machine machine) {
    Domain found = domain.in(machine.hypervisor().domains());
    IoServer current = server(found);
    DomainIo io = found.facet(DomainIo.class);
    if (told == io.lastNumber() && toldBuffered == current.buffered()) {
      return Optional.empty();
    }
    long now = machine.hypervisor().clock().now();
    List<RequestView> items = fresh(io, current, now);
    List<RequestView> buffered = freshBuffered(current, window - items.size());
    return items.isEmpty() && buffered.isEmpty()
        ? Optional.empty()
        : Optional.of(new RequestsView(items, buffered, Optional.empty()));
  }

  /**
   * The server that was there from the beginning.
   *
   * @throws Refusal ENOENT it is gone, whether or not another has its id
   */
  private IoServer server(Domain found) {
    IoServer current = IoServerRoutes.find(request, found);
    if (server.isPresent() && server.get() != current) {
      throw Refusal.of(Errno.ENOENT, "ioreq server %d is another one now", current.id());
    }
    server = Optional.of(current);
    return current;
  }

  private List<RequestView> fresh(DomainIo io, IoServer current, long now) {
    List<PendingIo> untold = io.pendingAfter(current.id(), told);
    int unanswered = io.pending(current.id()).size() - untold.size();
    int room = Math.max(0, window - unanswered);
    if (untold.size() <= room) {
      told = io.lastNumber();
    } else {
      untold = untold.subList(0, room);
      told = untold.isEmpty() ? told : untold.getLast().number();
    }
    return untold.stream().map(pending -> IoRequestRoutes.view(pending, now)).toList();
  }

  /** The ring numbers its requests, so that one that was told is known whoever took others out. */
  private List<RequestView> freshBuffered(IoServer current, int room) {
    List<IoRequest> waiting = current.pages().ring().map(BufferedRing::waiting).orElse(List.of());
    long first = current.buffered() - waiting.size() + 1;
    List<RequestView> views = new ArrayList<>();
    long from = Math.max(first, toldBuffered + 1);
    long to = Math.min(current.buffered(), first + Math.max(0, room) - 1);
    for (long number = from; number <= to; number++) {
      views.add(IoRequestRoutes.view(waiting.get((int) (number - first))));
    }
    toldBuffered = Math.max(toldBuffered, to);
    return views;
  }

  @Override
  public Function<Machine, List<Objection>> hear(byte[] text) {
    Message message = JsonReader.readAll(text, MESSAGE);
    return machine -> {
      List<Objection> objections = new ArrayList<>();
      Domain found = domain.in(machine.hypervisor().domains());
      int id = IoServerRoutes.find(request, found).id();
      for (Answer answer : message.responses) {
        attempt(
            Optional.of(answer.rid),
            objections,
            () ->
                machine.execute(
                    new AnswerRequest(
                        found.id(), id, answer.rid, answer.data.orElse(new Word(0)))));
      }
      for (int taken = 0; taken < message.taken; taken++) {
        if (!attempt(
            Optional.empty(),
            objections,
            () -> machine.execute(new TakeBuffered(found.id(), id)))) {
          break;
        }
      }
      return objections;
    };
  }

  /** One wrong answer keeps no other from being given. */
  private static boolean attempt(
      Optional<Long> about, List<Objection> objections, Runnable command) {
    try {
      command.run();
      return true;
    } catch (Refusal refusal) {
      objections.add(new Objection(about, Failure.of(refusal.errno(), refusal.reason())));
      return false;
    }
  }
}
