package io.hypercalld.api.rest;

import io.hypercalld.api.event.Feed;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.machine.Wait;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One method of one path: what it is for, what it takes, what it answers and what stands behind it.
 * Immutable.
 *
 * @param parameters those of the query
 * @param body JSON Schema of the body; empty where none is taken
 * @param response what it answers when it succeeds
 * @param guard the resource whose ETag an If-Match names; empty where none can be
 */
public record Route(
    Method method,
    PathTemplate path,
    String summary,
    List<Parameter> parameters,
    Optional<Map<String, Object>> body,
    Response response,
    Handling handling,
    Optional<Task> guard) {

  /** What a request becomes once it has been understood: something for the machine to do. */
  public interface Task extends Function<Request, Function<Machine, Reply>> {}

  /** What stands behind a route. */
  public sealed interface Handling {
    /** Whether what answers a request is no single message. */
    default boolean isLasting() {
      return this instanceof Conversing || this instanceof Streaming;
    }
  }

  /** Answered at once, without the machine. */
  public record Immediate(Function<Request, Reply> answer) implements Handling {}

  /** Understood at once, then answered by the machine. */
  public record OnMachine(Task task) implements Handling {}

  /**
   * Understood at once, then answered on the machine's thread about what is no part of it.
   *
   * @param preview says what would come of it
   */
  public record Beside(Task task, Task preview) implements Handling {}

  /** Understood at once, then answered by the machine, which gives its place to another one. */
  public record Exchanging(Function<Request, Function<Machine, Exchange<Machine, Reply>>> task)
      implements Handling {}

  /** Understood at once, then answered by the machine when something has come about. */
  public record Waiting(Function<Request, Wait<Machine, Reply>> task) implements Handling {}

  /** Understood at once, then talked about over a connection that stays open. */
  public record Conversing(Function<Request, Conversation> task) implements Handling {}

  /**
   * Answered with bytes that go on.
   *
   * @param open what they are, for the machine to begin; empty where the request wants none
   * @param otherwise the answer then
   * @param alternatives what the bytes may be, besides what the route answers
   */
  public record Streaming(
      Function<Request, Optional<Function<Machine, Feed>>> open,
      Function<Request, Reply> otherwise,
      List<String> alternatives)
      implements Handling {}

  /**
   * Answered away from the machine, on a thread where it may take its time.
   *
   * @param preview says what would come of it; empty where nothing does
   */
  public record Aside(Function<Request, Reply> answer, Optional<Function<Request, Reply>> preview)
      implements Handling {}

  /** Made ready away from the machine, where it may take its time, then done by the machine. */
  public record Replacing(Function<Request, Replacement> preparation) implements Handling {}

  /**
   * What a route answers when it succeeds.
   *
   * @param schema empty where there is nothing to say about the content
   */
  public record Response(
      int status, String description, String mediaType, Map<String, Object> schema) {}

  private static final Response DONE = new Response(204, "Done", "", Map.of());

  public static Route get(String path, String summary) {
    return of(Method.GET, path, summary);
  }

  public static Route of(Method method, String path, String summary) {
    return new Route(
        method,
        new PathTemplate(path),
        summary,
        List.of(),
        Optional.empty(),
        DONE,
        new Immediate(
            request -> {
              throw new IllegalStateException("nothing stands behind " + path);
            }),
        Optional.empty());
  }

  /** The query parameters that it has in common with others. */
  public List<Parameter> commonParameters() {
    return CommonParameters.of(this);
  }

  public Route taking(Parameter... query) {
    return new Route(method, path, summary, List.of(query), body, response, handling, guard);
  }

  public Route reading(Class<?> type) {
    return reading(Shapes.RESOURCES.of(type).schema());
  }

  public Route reading(Map<String, Object> schema) {
    return new Route(
        method, path, summary, parameters, Optional.of(schema), response, handling, guard);
  }

  /** Answers 200 with a resource of this type. */
  public Route answering(Class<?> type) {
    return answering(200, type);
  }

  public Route answering(int status, Class<?> type) {
    return answering(new Response(status, "OK", Encoded.JSON, Shapes.RESOURCES.of(type).schema()));
  }

  public Route answering(String mediaType) {
    return answering(new Response(200, "OK", mediaType, Map.of()));
  }

  public Route answering(Response success) {
    return new Route(method, path, summary, parameters, body, success, handling, guard);
  }

  public Route by(Function<Request, Reply> answer) {
    return by(new Immediate(answer));
  }

  public Route aside(Function<Request, Reply> answer) {
    return by(new Aside(answer, Optional.empty()));
  }

  /** As {@link #aside(Function)}, of what changes something. */
  public Route aside(Function<Request, Reply> answer, Function<Request, Reply> preview) {
    return by(new Aside(answer, Optional.of(preview)));
  }

  public Route replacing(Function<Request, Replacement> preparation) {
    return by(new Replacing(preparation));
  }

  private Route by(Handling how) {
    return new Route(method, path, summary, parameters, body, response, how, guard);
  }

  public Route waiting(Function<Request, Wait<Machine, Reply>> task) {
    return by(new Waiting(task));
  }

  public Route conversing(Function<Request, Conversation> task) {
    return by(new Conversing(task));
  }

  public Route streaming(Streaming way) {
    return by(way);
  }

  /** Whether the machine answers it. */
  public boolean asksMachine() {
    return handling instanceof OnMachine
        || handling instanceof Waiting
        || handling instanceof Exchanging
        || handling instanceof Replacing
        || handling instanceof Beside;
  }

  /** Whether it is a change of which the machine's queue does not put everything in order. */
  boolean isChangedApart() {
    return method.changes()
        && (handling instanceof Aside
            || handling instanceof Replacing
            || handling instanceof Exchanging);
  }

  boolean takesFile() {
    return handling instanceof Replacing;
  }

  public Route beside(Task task, Task preview) {
    return by(new Beside(task, preview));
  }

  public Route exchanging(Function<Request, Function<Machine, Exchange<Machine, Reply>>> task) {
    return by(new Exchanging(task));
  }

  public Route on(Task task) {
    return by(new OnMachine(task));
  }

  /** Honours If-Match with the tag of what {@code resource} answers. */
  public Route guardedBy(Task resource) {
    return new Route(
        method, path, summary, parameters, body, response, handling, Optional.of(resource));
  }
}
