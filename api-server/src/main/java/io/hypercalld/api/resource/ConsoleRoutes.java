package io.hypercalld.api.resource;

import io.hypercalld.api.debug.DebugKey;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.console.Console;
import io.hypercalld.core.errno.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What the hypervisor says. Immutable. */
final class ConsoleRoutes {
  private ConsoleRoutes() {}

  /**
   * A line of the console ring.
   *
   * @param simTimeNs nanoseconds since power-on
   */
  record LineView(long number, String simTimeNs, String text) {
    static LineView of(Console.Line line) {
      return new LineView(line.number(), Long.toString(line.time()), line.toString());
    }
  }

  /** What debug keys printed. */
  record Dump(List<String> lines) {}

  static List<Route> routes() {
    return List.of(
        Route.get(
                "/v1/console", "The hypervisor's console ring; as text where text/plain is wanted")
            .answering(Page.ofItems(LineView.class))
            .on(ConsoleRoutes::console),
        Route.of(
                Method.POST,
                "/v1/debug-keys/{keys}",
                "What Xen's debug keys print (V, o, Q, M); as text where text/plain is wanted")
            .answering(Dump.class)
            .on(ConsoleRoutes::press));
  }

  private static Function<Machine, Reply> console(Request request) {
    boolean text = wantsText(request);
    return machine -> {
      List<Console.Line> lines = machine.hypervisor().console().lines();
      return text
          ? asText(lines.stream().map(Console.Line::toString).toList())
          : Reply.ok(Page.whole(lines.stream().<Object>map(LineView::of).toList()));
    };
  }

  private static Function<Machine, Reply> press(Request request) {
    List<DebugKey> keys =
        request
            .place("keys")
            .chars()
            .mapToObj(
                key ->
                    DebugKey.of((char) key)
                        .orElseThrow(
                            () ->
                                Failure.of(
                                    Errno.ENOENT,
                                    "nothing is bound to the key %c".formatted((char) key))))
            .toList();
    boolean text = wantsText(request);
    return machine -> {
      List<String> lines = new ArrayList<>();
      keys.forEach(key -> lines.addAll(key.lines(machine)));
      return text ? asText(lines) : Reply.ok(new Dump(lines));
    };
  }

  private static Reply asText(List<String> lines) {
    return Reply.text("text/plain", lines.isEmpty() ? "" : String.join("\n", lines) + "\n");
  }

  private static boolean wantsText(Request request) {
    return request
        .header()
        .apply("Accept")
        .filter(types -> types.contains("text/plain"))
        .isPresent();
  }
}
