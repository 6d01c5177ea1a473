package io.hypercalld.api.resource;

import io.hypercalld.api.journal.JournalFeed;
import io.hypercalld.api.journal.JournalReplay;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;
import io.hypercalld.api.machine.SimNotice;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Replacement;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.RequestJournal;
import io.hypercalld.api.rest.Route;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code /_sim/journal}, {@code /_sim/export} and back, {@code /_sim/requests}: what was done, and
 * doing it again. Immutable.
 */
final class JournalRoutes {
  private static final String LINES = "application/x-ndjson";
  private static final String COMPRESSED = "application/gzip";

  private JournalRoutes() {}

  /**
   * Where a journal led.
   *
   * @param commands executed
   */
  record ReplayView(long commands, String digest) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/_sim/journal", "Every command since the machine was booted, one on each line")
            .answering(LINES)
            .streaming(feed(false)),
        Route.get("/_sim/export", "The whole state of the machine in one file, to be imported")
            .answering(COMPRESSED)
            .streaming(feed(true)),
        Route.of(
                Method.POST,
                "/_sim/replay",
                "Executes a journal on a machine that takes the place of this one")
            .reading(Map.of("type", "object", "description", "lines of GET /_sim/journal"))
            .answering(ReplayView.class)
            .replacing(JournalRoutes::replay),
        Route.of(
                Method.POST,
                "/_sim/import",
                "Has the state of an exported machine take the place of this one")
            .reading(Map.of("type", "object", "description", "the file of GET /_sim/export"))
            .answering(ReplayView.class)
            .replacing(JournalRoutes::replay),
        Route.get("/_sim/requests", "What was asked last, whatever came of it")
            .taking(Page.LIMIT, Page.CURSOR)
            .answering(Page.ofItems(RequestJournal.Entry.class))
            .on(
                request ->
                    machine ->
                        Reply.ok(
                            Page.of(request, machine, () -> request.hosted().requests().all()))));
  }

  private static Route.Streaming feed(boolean compressed) {
    return new Route.Streaming(
        _ -> Optional.of(machine -> new JournalFeed(machine, compressed)),
        // To HEAD, which has no content.
        _ -> Reply.document(compressed ? COMPRESSED : LINES, new byte[0]),
        List.of());
  }

  /** On a machine beside the one there is, which goes only when the other one is ready. */
  private static Replacement replay(Request request) {
    JournalReplay.Replayed replayed = JournalReplay.run(request.body().stream());
    Machine fresh = replayed.machine();
    Reply reply = Reply.ok(new ReplayView(replayed.commands(), fresh.digest()));
    return new Replacement(
        fresh,
        before -> {
          before.close();
          fresh.hypervisor().notices().tell(SimNotice.RESTORED, new SimNotice.Kept("journal"));
          return new Exchange<>(fresh, reply, () -> request.hosted().forget(request));
        });
  }
}
