package io.hypercalld.api.resource;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.metrics.Metrics;
import io.hypercalld.api.openapi.DocumentRoutes;
import io.hypercalld.api.rest.Guards;
import io.hypercalld.api.rest.Route;
import java.util.ArrayList;
import java.util.List;

/** Every route there is. Immutable. */
public final class Resources {
  private Resources() {}

  /**
   * What the daemon says of itself.
   *
   * @param version of hypercalld
   * @param swaggerUi version of the pages under {@code /docs}
   * @param simApi whether test-only controls are served
   */
  public record About(String version, String swaggerUi, boolean simApi) {}

  /** The routes, in the order in which they are documented. */
  public static List<Route> routes(
      About about, HypercallCatalogue catalogue, MachinesRoutes machines, Metrics metrics) {
    List<Route> routes = new ArrayList<>();
    routes.addAll(new MachineRoutes(about.version).routes());
    routes.addAll(machines.routes());
    routes.addAll(DomainRoutes.routes());
    routes.addAll(P2mRoutes.routes());
    routes.addAll(VmEventRoutes.routes());
    routes.addAll(FrameRoutes.routes());
    routes.addAll(DeviceRoutes.routes());
    routes.addAll(DmaRoutes.routes());
    routes.addAll(DmaApiRoutes.routes());
    routes.addAll(DriverRoutes.routes());
    routes.addAll(InterruptRoutes.routes());
    routes.addAll(HpetRoutes.routes());
    routes.addAll(HotplugRoutes.routes());
    routes.addAll(VcpuRoutes.routes());
    routes.addAll(LineRoutes.routes());
    routes.addAll(ReachabilityRoutes.routes());
    routes.addAll(IommuRoutes.routes());
    routes.addAll(ConsoleRoutes.routes());
    routes.addAll(MemoryRoutes.routes());
    routes.addAll(ExplainRoutes.routes());
    routes.addAll(BusExplanation.routes());
    routes.addAll(AccessRoutes.routes());
    routes.addAll(AccessBatchRoutes.routes());
    routes.addAll(VcpuWaitRoutes.routes());
    routes.addAll(IoServerRoutes.routes());
    routes.addAll(IoRequestRoutes.routes());
    routes.addAll(IoStream.routes());
    routes.addAll(ViommuRoutes.routes());
    routes.addAll(VirtualDeviceRoutes.routes());
    routes.addAll(PolicyCatalogue.routes());
    routes.addAll(ExperimentRoutes.routes());
    routes.addAll(EventRoutes.routes());
    routes.addAll(new HypercallRoutes(catalogue).routes());
    routes.addAll(ProblemRoutes.routes());
    routes.addAll(HealthRoutes.routes());
    routes.addAll(metrics.routes());
    if (about.simApi) {
      routes.addAll(SimRoutes.routes());
      routes.addAll(FaultRoutes.routes());
      routes.addAll(EndpointRoutes.routes());
      routes.addAll(SnapshotRoutes.routes());
      routes.addAll(JournalRoutes.routes());
    }
    return DocumentRoutes.documented(
        Guards.over(routes), catalogue, about.version, about.swaggerUi);
  }
}
