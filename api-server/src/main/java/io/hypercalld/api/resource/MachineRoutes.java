package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.memory.FrameAllocator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** {@code /v1} and {@code /v1/machine}. Immutable. */
final class MachineRoutes {
  private static final int FRAME_BYTES = 4096;
  private static final int MAX_BODY_BYTES = 8 << 20;

  private final String version;
  private final LongSupplier uptimeSeconds;

  MachineRoutes(String version, LongSupplier uptimeSeconds) {
    this.version = version;
    this.uptimeSeconds = uptimeSeconds;
  }

  /** The front door. */
  record Welcome(
      String name,
      String version,
      String apiVersion,
      Map<String, Integer> limits,
      Map<String, String> links) {}

  /** The machine as a whole; bytes and frames are of RAM that firmware does not keep. */
  record MachineView(
      MemoryView memory,
      FramesView frames,
      Map<String, String> policies,
      PlatformView platform,
      int domains,
      long uptimeSeconds) {}

  /** Bytes of RAM. */
  record MemoryView(long totalBytes, long freeBytes, long usedBytes, long installedBytes) {}

  /** Frames of 4 KiB. */
  record FramesView(long total, long free, long used, long touched) {}

  /** What the machine is made of. */
  record PlatformView(
      String name, int hostAddressWidth, int iommus, int devices, long dom0MemoryBytes) {}

  List<Route> routes() {
    return List.of(
        Route.get("/v1", "What this is, and where everything is")
            .answering(Welcome.class)
            .by(request -> Reply.ok(welcome())),
        Route.get("/v1/machine", "Memory, policies and platform of the machine")
            .answering(MachineView.class)
            .on(this::show),
        Route.of(Method.PATCH, "/v1/machine", "Changes policies that may change at run time")
            .reading(Map.of("type", "object"))
            .on(MachineRoutes::change),
        Route.get("/v1/machine/counters", "What the machine has done since the last reset")
            .answering(Map.class)
            .on(request -> machine -> Reply.ok(CounterViews.of(machine))),
        Route.of(Method.POST, "/v1/machine/counters/reset", "Sets all counters to zero")
            .on(request -> MachineRoutes::reset));
  }

  private Welcome welcome() {
    Map<String, Integer> limits = new LinkedHashMap<>();
    limits.put("bodyBytes", MAX_BODY_BYTES);
    limits.put("multicall", io.hypercalld.api.hypercall.MulticallShape.MOST);
    limits.put("memoryBytes", MemoryRoutes.MOST_BYTES);
    Map<String, String> links = new LinkedHashMap<>();
    for (String name :
        List.of("machine", "domains", "devices", "iommus", "hypercalls", "policies")) {
      links.put(name, "/v1/" + name);
    }
    links.put("openapi", "/openapi.yaml");
    links.put("docs", "/docs");
    links.put("metrics", "/metrics");
    links.put("health", "/health/ready");
    return new Welcome("hypercalld", version, "v1", limits, links);
  }

  private Function<Machine, Reply> show(Request request) {
    return machine -> {
      FrameAllocator frames = machine.hypervisor().allocator();
      long total = frames.totalFrames();
      long free = frames.freeFrames();
      return Reply.ok(
          new MachineView(
              new MemoryView(
                  total * FRAME_BYTES,
                  free * FRAME_BYTES,
                  (total - free) * FRAME_BYTES,
                  machine.platform().memory().bytes()),
              new FramesView(
                  total, free, total - free, machine.hypervisor().memory().touchedFrames()),
              PolicyCatalogue.ofMachine(),
              new PlatformView(
                  machine.platform().name(),
                  machine.platform().hostAddressWidth(),
                  machine.units().size(),
                  machine.driver().devices().all().size(),
                  machine.platform().memory().dom0Bytes()),
              machine.hypervisor().domains().all().size(),
              uptimeSeconds.getAsLong()));
    };
  }

  private static Function<Machine, Reply> change(Request request) {
    throw Failure.of(
        Problems.NOT_BUILT, "no policy of the machine can be changed while it runs yet");
  }

  private static Reply reset(Machine machine) {
    machine.resetCounters();
    return Reply.done();
  }
}
