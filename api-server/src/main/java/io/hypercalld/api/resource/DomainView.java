package io.hypercalld.api.resource;

import io.hypercalld.api.machine.ChoosePolicies.Toggle;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainState;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.interrupt.DomainInterrupts;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.GuestContexts;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.ioreq.server.IoServers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A domain as it is told. Immutable.
 *
 * @param domid raw
 * @param pageTables empty where no device can be given to it
 * @param cpuid what its processors tell it about interrupts; empty of a PV domain
 * @param viommu empty where it has none
 */
record DomainView(
    int domid,
    String name,
    UUID uuid,
    DomainType type,
    State state,
    int vcpus,
    int maxVcpus,
    long memoryBytes,
    long maxMemoryBytes,
    Optional<PageTables> pageTables,
    MemoryChoices.Granule p2mPageSize,
    List<Sbdf> devices,
    Map<String, Object> policies,
    Optional<Cpuid> cpuid,
    Optional<ViommuView> viommu) {
  private static final int PAGE_SHIFT = 12;
  private static final long MOST_PAGES = Long.MAX_VALUE >>> PAGE_SHIFT;

  /**
   * Facts that its processors tell.
   *
   * @param x2apic whether local APICs can have ids of 32 bits
   * @param extDestId {@code XEN_HVM_CPUID_EXT_DEST_ID}: whether messages can have destinations of
   *     15 bits
   */
  record Cpuid(boolean x2apic, boolean extDestId) {}

  /** Whether it runs. */
  enum State {
    RUNNING,
    PAUSED,
    SHUTDOWN,
    DYING
  }

  /** What its devices' requests are translated with. */
  enum PageTables {
    SHARED,
    SEPARATE
  }

  static DomainView of(Machine machine, Domain domain) {
    Optional<PageTables> tables =
        domain
            .findFacet(DomainIommu.class)
            .map(iommu -> iommu.sharesP2m() ? PageTables.SHARED : PageTables.SEPARATE);
    return new DomainView(
        domain.id().value(),
        domain.name(),
        domain.notes().handle(),
        domain.type(),
        state(domain),
        domain.run().vcpus(),
        domain.settings().maxVcpus(),
        domain.reservation().totalPages() << PAGE_SHIFT,
        Math.min(domain.reservation().maxPages(), MOST_PAGES) << PAGE_SHIFT,
        tables,
        MemoryChoices.Granule.of(domain.settings().geometry()),
        machine.driver().devices().ownedBy(domain.id()).stream().map(PciDevice::sbdf).toList(),
        policies(domain),
        domain
            .findFacet(DomainInterrupts.class)
            .map(own -> new Cpuid(true, own.destinations().inForce())),
        domain
            .findFacet(VirtualIommu.class)
            .filter(own -> own.unit().isPresent())
            .map(own -> ViommuView.of(machine, domain, own)));
  }

  /** The policies in force, by their names. */
  private static Map<String, Object> policies(Domain domain) {
    Map<String, Object> policies = new LinkedHashMap<>();
    Optional<DomainIommu> iommu = domain.findFacet(DomainIommu.class);
    iommu.ifPresent(
        own ->
            policies.put("pageTables", own.sharesP2m() ? PageTables.SHARED : PageTables.SEPARATE));
    policies.put("p2mPageSize", MemoryChoices.Granule.of(domain.settings().geometry()));
    iommu
        .map(DomainIommu::policy)
        .ifPresent(
            dma -> {
              policies.put(
                  "dmaLeafSizes",
                  dma.leafSizes().stream().sorted().map(MemoryChoices.Leaf::of).toList());
              policies.put("tableFrameSize", dma.tableFrames());
            });
    iommu.ifPresent(own -> policies.put("flush", own.flushing().policy()));
    policies.put("dmaMode", domain.facet(DomainDma.class).mode());
    domain
        .findFacet(GuestContexts.class)
        .ifPresent(
            own -> {
              policies.put("iommuApi", own.api());
              policies.put("nbCtx", own.most());
            });
    domain
        .findP2m()
        .ifPresent(
            p2m ->
                policies.put("syncHooks", p2m.announcements().hooks().stream().sorted().toList()));
    policies.put("devicePaging", domain.settings().devicePaging());
    domain
        .findFacet(IoServers.class)
        .map(servers -> servers.claims().policies())
        .ifPresent(
            claims -> {
              policies.put("unclaimed", claims.unclaimed());
              policies.put("claimAccess", claims.access());
              policies.put("claimUpdate", claims.update());
              policies.put("serverDestroy", claims.destroyed());
              policies.put("claimTypes", claims.types());
              policies.put("claimProfile", claims.generation());
            });
    domain.findFacet(DomainInterrupts.class).ifPresent(own -> interrupts(domain, own, policies));
    domain.findFacet(VirtualIommu.class).ifPresent(own -> policies.put("viommuApi", own.api()));
    return policies;
  }

  private static void interrupts(
      Domain domain, DomainInterrupts own, Map<String, Object> policies) {
    boolean remaps =
        domain
            .findFacet(VirtualIommu.class)
            .flatMap(VirtualIommu::unit)
            .filter(unit -> unit.settings().intremap())
            .isPresent();
    policies.put("apicIds", domain.settings().interrupts().apicIds());
    policies.put("intremap", remaps ? Toggle.ON : Toggle.OFF);
    policies.put("extDestId", own.destinations().isOffered() ? Toggle.ON : Toggle.OFF);
  }

  static State state(Domain domain) {
    if (domain.state() != DomainState.ALIVE) {
      return State.DYING;
    }
    if (domain.run().isShutDown()) {
      return State.SHUTDOWN;
    }
    return domain.run().isPausedByController() ? State.PAUSED : State.RUNNING;
  }
}
