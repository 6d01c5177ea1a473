package io.hypercalld.api.resource;

import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.ResetCounters;
import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.api.rest.Machines;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.Passthrough;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import io.hypercalld.iommu.driver.TableSharing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1} and {@code /v1/machine}. Immutable. */
final class MachineRoutes {
  private static final int FRAME_BYTES = 4096;
  private static final int MAX_BODY_BYTES = 8 << 20;

  private final String version;

  MachineRoutes(String version) {
    this.version = version;
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
      PassthroughView passthrough,
      PlatformView platform,
      int domains,
      long uptimeSeconds) {
    /** The same at whatever age: what its tag is about. */
    MachineView ageless() {
      return new MachineView(memory, frames, policies, passthrough, platform, domains, 0);
    }
  }

  /**
   * How devices of guests translate.
   *
   * @param enabled what asking for no table in particular comes to for HVM and PVH
   * @param sharePt whether the P2M can be that table
   * @param reason why it cannot
   * @param capabilities {@code XEN_SYSCTL_PHYSCAP_*}; bit 5 says the same
   */
  record PassthroughView(
      Passthrough enabled, boolean sharePt, Optional<String> reason, Word capabilities) {}

  /** Policies of the machine that may change. */
  record MachineChange(Changes policies) {}

  /** Those that there are. */
  record Changes(
      Optional<DomainIdPolicy> domainIds,
      Optional<Quarantine.Mode> quarantine,
      Optional<Profile> profile,
      Optional<FlushPolicy> flush,
      Optional<ChoosePolicies.Toggle> intpost,
      Optional<ChoosePolicies.Toggle> ats,
      Optional<ChoosePolicies.Toggle> viommu,
      Optional<Integer> maxVcpus) {
    ChoosePolicies command() {
      return new ChoosePolicies(
          domainIds, quarantine, profile, flush, intpost, ats, viommu, maxVcpus);
    }
  }

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
            .by(request -> Reply.ok(welcome(request.hosted()))),
        Route.get("/v1/machine", "Memory, policies and platform of the machine")
            .answering(MachineView.class)
            .on(MachineRoutes::show),
        Route.of(Method.PATCH, "/v1/machine", "Changes policies that may change at run time")
            .reading(MachineChange.class)
            .answering(MachineView.class)
            .on(MachineRoutes::change),
        Route.get("/v1/machine/counters", "What the machine has done since the last reset")
            .answering(Map.class)
            .on(request -> machine -> Reply.ok(CounterViews.of(machine))),
        Route.of(Method.POST, "/v1/machine/counters/reset", "Sets all counters to zero")
            .on(request -> MachineRoutes::reset));
  }

  private Welcome welcome(HostedMachine hosted) {
    Map<String, Integer> limits = new LinkedHashMap<>();
    limits.put("bodyBytes", MAX_BODY_BYTES);
    limits.put("multicall", io.hypercalld.api.hypercall.MulticallShape.MOST);
    limits.put("memoryBytes", MemoryRoutes.MOST_BYTES);
    limits.put("machines", Machines.MOST);
    Map<String, String> links = new LinkedHashMap<>();
    for (String name :
        List.of("machine", "domains", "devices", "iommus", "hypercalls", "events", "policies")) {
      links.put(name, hosted.pathOf("/v1/" + name));
    }
    links.put("machines", "/v1/machines");
    links.put("openapi", "/openapi.yaml");
    links.put("docs", "/docs");
    links.put("metrics", hosted.pathOf("/metrics"));
    links.put("health", "/health/ready");
    return new Welcome("hypercalld", version, "v1", limits, links);
  }

  private static Function<Machine, Reply> show(Request request) {
    return machine -> {
      MachineView view = view(request.hosted(), machine);
      return Reply.ok(view).tagged(view.ageless());
    };
  }

  private static MachineView view(HostedMachine hosted, Machine machine) {
    FrameAllocator frames = machine.hypervisor().allocator();
    long total = frames.totalFrames();
    long free = frames.freeFrames();
    return new MachineView(
        new MemoryView(
            total * FRAME_BYTES,
            free * FRAME_BYTES,
            (total - free) * FRAME_BYTES,
            machine.platform().memory().bytes()),
        new FramesView(total, free, total - free, machine.hypervisor().memory().touchedFrames()),
        PolicyCatalogue.ofMachine(machine),
        passthrough(machine.driver().sharing()),
        new PlatformView(
            machine.platform().name(),
            machine.platform().hostAddressWidth(),
            machine.units().size(),
            machine.driver().devices().all().size(),
            machine.platform().memory().dom0Bytes()),
        machine.hypervisor().domains().all().size(),
        hosted.uptimeSeconds());
  }

  private static PassthroughView passthrough(TableSharing sharing) {
    return new PassthroughView(
        sharing.usualFor(DomainType.HVM),
        sharing.whyNot().isEmpty(),
        sharing.whyNot(),
        new Word(sharing.physicalCapabilities()));
  }

  private static Function<Machine, Reply> change(Request request) {
    ChoosePolicies command = request.read(MachineChange.class).policies().command();
    return machine -> {
      machine.execute(command);
      return Reply.ok(view(request.hosted(), machine));
    };
  }

  private static Reply reset(Machine machine) {
    machine.execute(new ResetCounters());
    return Reply.done();
  }
}
