package io.hypercalld.api.resource;

import io.hypercalld.api.machine.HoldWrites;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SetEndpoint;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DeviceTlb;
import io.hypercalld.iommu.unit.Endpoint;
import io.hypercalld.iommu.unit.PostedWrites;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /_sim/devices/{sbdf}/ats}: a device's part in address translation. Immutable. */
final class EndpointRoutes {
  private static final String ATS = "/_sim/devices/{sbdf}/ats";
  private static final String WRITES = "/_sim/devices/{sbdf}/writes";

  private EndpointRoutes() {}

  /** What a device's control registers are set to; what is left out is off. */
  record Control(Optional<Boolean> translations, Optional<Boolean> pageRequests) {}

  /** Whether a device's writes are to wait. */
  record Hold(boolean held) {}

  /**
   * A device's writes.
   *
   * @param underWay requests that were translated and have yet to land
   */
  record WritesView(boolean held, long underWay) {}

  /** A translation that a device keeps. */
  record KeptView(
      Optional<Integer> pasid,
      Word iova,
      Word maddr,
      long page,
      boolean readable,
      boolean writable) {}

  /** How a group of page requests was answered. */
  record ResponseView(int group, int code) {}

  /** A device's part. */
  record EndpointView(
      boolean translations,
      boolean pageRequests,
      List<KeptView> kept,
      List<ResponseView> responses) {
    static final EndpointView NONE = new EndpointView(false, false, List.of(), List.of());
  }

  static List<Route> routes() {
    return List.of(
        Route.get(ATS, "The translations that a device keeps, and the answers it got")
            .answering(EndpointView.class)
            .on(EndpointRoutes::show),
        Route.of(Method.POST, ATS, "Has a device keep translations, or ask for pages")
            .reading(Control.class)
            .answering(EndpointView.class)
            .on(EndpointRoutes::set),
        Route.get(WRITES, "The writes of a device that were translated and have yet to land")
            .answering(WritesView.class)
            .on(EndpointRoutes::writes),
        Route.of(Method.POST, WRITES, "Holds a device's writes up on their way, or lets them land")
            .reading(Hold.class)
            .answering(WritesView.class)
            .on(EndpointRoutes::hold));
  }

  private static Function<Machine, Reply> writes(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine -> Reply.ok(view(sbdf, SetEndpoint.unitOf(machine, sbdf).postedWrites()));
  }

  private static Function<Machine, Reply> hold(Request request) {
    HoldWrites command =
        new HoldWrites(Names.sbdf(request.place("sbdf")), request.read(Hold.class).held);
    return machine -> Reply.ok(view(command.sbdf(), machine.execute(command)));
  }

  private static WritesView view(Sbdf sbdf, PostedWrites writes) {
    return new WritesView(writes.holds(sbdf.sourceId()), writes.underWay(sbdf.sourceId()));
  }

  private static Function<Machine, Reply> show(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    return machine ->
        Reply.ok(
            SetEndpoint.unitOf(machine, sbdf)
                .endpoints()
                .find(sbdf.sourceId())
                .map(EndpointRoutes::view)
                .orElse(EndpointView.NONE));
  }

  private static Function<Machine, Reply> set(Request request) {
    Sbdf sbdf = Names.sbdf(request.place("sbdf"));
    Control control = request.read(Control.class);
    SetEndpoint command =
        new SetEndpoint(
            sbdf, control.translations.orElse(false), control.pageRequests.orElse(false));
    return machine -> Reply.ok(view(machine.execute(command)));
  }

  private static EndpointView view(Endpoint endpoint) {
    return new EndpointView(
        endpoint.translates(),
        endpoint.requestsPages(),
        endpoint.kept().stream().map(EndpointRoutes::view).toList(),
        endpoint.responses().entrySet().stream()
            .map(each -> new ResponseView(each.getKey(), each.getValue()))
            .toList());
  }

  private static KeptView view(DeviceTlb.Kept kept) {
    return new KeptView(
        kept.pasid(),
        new Word(kept.iova()),
        new Word(kept.maddr()),
        kept.size().bytes(),
        SecondStageEntry.permitsRead(kept.permissions()),
        SecondStageEntry.permitsWrite(kept.permissions()));
  }
}
