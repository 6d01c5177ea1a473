package io.hypercalld.ioreq;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.hypercall.ResourceType;
import io.hypercalld.ioreq.dispatch.GuestCpus;
import io.hypercalld.ioreq.hypercall.InterruptCalls;
import io.hypercalld.ioreq.hypercall.IoServerCalls;
import io.hypercalld.ioreq.hypercall.MemoryTypeCalls;
import io.hypercalld.ioreq.hypercall.RelocationCalls;
import io.hypercalld.ioreq.hypercall.ServerResource;
import io.hypercalld.ioreq.server.IoServers;
import java.util.Optional;

/**
 * What a hypervisor needs for device models, put together. Confined to the machine thread.
 *
 * <p>To be made before dom0 is booted, so that every domain has its servers.
 */
public final class DeviceModels {
  private final GuestCpus cpus;
  private final IoServerCalls serverCalls;
  private final MemoryTypeCalls memoryTypeCalls;
  private final InterruptCalls interruptCalls;
  private final RelocationCalls relocationCalls;

  public DeviceModels(Hypervisor hypervisor) {
    this.cpus =
        new GuestCpus(
            hypervisor.domains(),
            hypervisor.guestAccess(),
            hypervisor.memory(),
            hypervisor.clock());
    this.serverCalls = new IoServerCalls(hypervisor.domains());
    this.memoryTypeCalls = new MemoryTypeCalls(hypervisor.domains(), hypervisor.continuations());
    this.interruptCalls = new InterruptCalls(hypervisor.domains());
    this.relocationCalls = new RelocationCalls(hypervisor.domains(), hypervisor.memoryCalls());
    hypervisor.domains().addFacet(domain -> servers(hypervisor, domain));
    hypervisor.domains().addFacet(this::waiting);
    hypervisor.memoryCalls().resources().provide(ResourceType.IOREQ_SERVER, new ServerResource());
  }

  private static Optional<DomainFacet> servers(Hypervisor hypervisor, Domain domain) {
    return domain.type().isTranslated()
        ? Optional.of(new IoServers(domain, hypervisor.memory()))
        : Optional.empty();
  }

  private Optional<DomainFacet> waiting(Domain domain) {
    return domain.type().isTranslated() ? Optional.of(cpus.attach(domain)) : Optional.empty();
  }

  /** Guests' instructions. */
  public GuestCpus cpus() {
    return cpus;
  }

  public IoServerCalls serverCalls() {
    return serverCalls;
  }

  public MemoryTypeCalls memoryTypeCalls() {
    return memoryTypeCalls;
  }

  public InterruptCalls interruptCalls() {
    return interruptCalls;
  }

  public RelocationCalls relocationCalls() {
    return relocationCalls;
  }
}
