package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.core.interrupt.InterruptLines;
import io.hypercalld.core.interrupt.VirtualIoApic;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * {@code /v1/domains/{d}/interrupt-lines}: which pins of a guest's chipset are asserted. Immutable.
 */
final class LineRoutes {
  private LineRoutes() {}

  /**
   * The wires of a guest.
   *
   * @param gsis pins that are asserted, ascending
   */
  record LinesView(List<GsiView> gsis, List<LinkView> links) {}

  /**
   * A pin of the guest's I/O APIC.
   *
   * @param asserting wires that assert it
   */
  record GsiView(int gsi, int asserting) {}

  /**
   * A link from INTx to ISA lines.
   *
   * @param asserting wires that assert it
   * @param isaIrq the line; 0 for none
   */
  record LinkView(int link, int asserting, int isaIrq) {}

  static List<Route> routes() {
    return List.of(
        Route.get(
                "/v1/domains/{d}/interrupt-lines",
                "Which pins and links of a guest's chipset are asserted, and by how many wires")
            .answering(LinesView.class)
            .on(LineRoutes::show));
  }

  private static Function<Machine, Reply> show(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine ->
        Reply.ok(
            view(
                IoRequestRoutes.translated(name.in(machine.hypervisor().domains()))
                    .facet(DomainInterrupts.class)
                    .lines()));
  }

  private static LinesView view(InterruptLines lines) {
    return new LinesView(
        IntStream.range(0, VirtualIoApic.PINS)
            .filter(gsi -> lines.asserting(gsi) > 0)
            .mapToObj(gsi -> new GsiView(gsi, lines.asserting(gsi)))
            .toList(),
        IntStream.range(0, InterruptLines.LINKS)
            .mapToObj(link -> new LinkView(link, lines.assertingLink(link), lines.route(link)))
            .toList());
  }
}
