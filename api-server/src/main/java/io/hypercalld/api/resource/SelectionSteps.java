package io.hypercalld.api.resource;

import io.hypercalld.api.resource.ExplainRoutes.StepView;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.Selection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Which device models an access that no memory answers would go to, and why. Immutable. */
final class SelectionSteps {
  private static final String TABLE = "ioreq";

  private SelectionSteps() {}

  /** The servers in the order in which they are asked; who claims the page where somebody does. */
  static List<StepView> of(Domain domain, IoRequest request, P2mType type) {
    IoServers servers = domain.facet(IoServers.class);
    if (P2mType.IOREQ.contains(type)) {
      return List.of(
          servers
              .claims()
              .of(type)
              .owner()
              .map(owner -> step("hit", "server %d claims the page's type".formatted(owner.id())))
              .orElseGet(
                  () ->
                      step(
                          "miss",
                          "no server claims the page's type; policy: "
                              + servers.claims().policies().unclaimed())));
    }
    List<Selection.Asked> asked = Selection.explain(servers, request);
    boolean found = asked.stream().anyMatch(one -> one.verdict() == Selection.Verdict.SELECTED);
    return Stream.concat(
            asked.stream().map(SelectionSteps::view),
            found
                ? Stream.empty()
                : Stream.of(step("miss", "nobody: reads are all ones, writes are dropped")))
        .toList();
  }

  private static StepView view(Selection.Asked asked) {
    boolean selected = asked.verdict() == Selection.Verdict.SELECTED;
    return step(
        selected ? "hit" : "miss",
        "server %d: %s%s"
            .formatted(
                asked.server(),
                asked.verdict().note(),
                asked
                    .range()
                    .map(range -> ", 0x%x to 0x%x".formatted(range.first(), range.last()))
                    .orElse("")));
  }

  private static StepView step(String verdict, String note) {
    return new StepView(
        TABLE, Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), verdict, note);
  }
}
