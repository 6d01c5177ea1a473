package io.hypercalld.api.resource;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.copy.GraphCopies;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Trial;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/** Tries changes on a copy of the machine, which then goes. Immutable. */
public final class Trials implements Trial {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * What would come of a change.
   *
   * @param status the answer's
   * @param answer the answer's content; empty where it has none, or one that is not JSON
   * @param effect what would be different
   */
  record TrialView(
      boolean dryRun, int status, Optional<Object> answer, List<VisibleState.Change> effect) {}

  /** What would come of a change that is not the machine's. */
  static Reply told(int status, Optional<Object> answer, VisibleState.Change effect) {
    return Reply.ok(new TrialView(true, status, answer, List.of(effect)));
  }

  @Override
  public Reply attempt(Machine machine, Change change) {
    VisibleState before = VisibleState.of(machine);
    Exchange<Machine, Reply> done = onCopy(machine, change);
    try (Machine after = done.machine()) {
      Reply reply = done.result();
      List<VisibleState.Change> effect = before.changesTo(VisibleState.of(after));
      return Reply.ok(new TrialView(true, reply.status(), content(reply), effect));
    }
  }

  private static Exchange<Machine, Reply> onCopy(Machine machine, Change change) {
    Machine copy = new GraphCopies().of(machine);
    try {
      return change.apply(copy);
    } catch (RuntimeException refused) {
      copy.close();
      throw refused;
    }
  }

  private static Optional<Object> content(Reply reply) {
    return reply.json().map(Trials::parse);
  }

  private static Object parse(byte[] json) {
    try {
      return JSON.readValue(json, Object.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
