package io.hypercalld.api.resource;

import io.hypercalld.api.resource.ExplainRoutes.StepView;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PortAccess;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
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
    return selection(servers, request).toList();
  }

  /** The same for a port: the hypervisor's clock first, then what 0xcf8 makes of the port. */
  static List<StepView> ofPort(Domain domain, PortAccess access) {
    if (domain.facet(DomainIo.class).isClock(access)) {
      return List.of(step("hit", "the hypervisor's own clock answers"));
    }
    IoServers servers = domain.facet(IoServers.class);
    IoRequest request = access.request();
    IoRequest decoded = Selection.decoded(servers, request);
    return Stream.concat(
            decoded.type() == RequestType.PCI_CONFIG
                ? Stream.of(step("next", "0xcf8 makes it configuration space: " + place(decoded)))
                : Stream.empty(),
            selection(servers, request))
        .toList();
  }

  private static String place(IoRequest configuration) {
    long address = configuration.address();
    Sbdf sbdf = Sbdf.ofMachineSbdf((int) (address >>> Integer.SIZE));
    return "register 0x%x of %s".formatted(address & 0xfff, sbdf);
  }

  private static Stream<StepView> selection(IoServers servers, IoRequest request) {
    List<Selection.Asked> asked = Selection.explain(servers, request);
    boolean found = asked.stream().anyMatch(one -> one.verdict() == Selection.Verdict.SELECTED);
    return Stream.concat(
        asked.stream().map(SelectionSteps::view),
        found
            ? Stream.empty()
            : Stream.of(step("miss", "nobody: reads are all ones, writes are dropped")));
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
