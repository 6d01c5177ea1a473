package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.PendingIo;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/** {@code /v1/domains/{d}/vcpus}: what each vCPU waits for. Immutable. */
final class VcpuWaitRoutes {
  private VcpuWaitRoutes() {}

  /** Whether it goes on. */
  enum State {
    READY,
    /** For an event, or for a device model. */
    WAITING,
    /** It tries a write again and again, as no server has the page. */
    STUCK
  }

  /**
   * A vCPU.
   *
   * @param server whose answer it waits for
   * @param ageNanos how long it has, by the machine's clock
   * @param overdue whether the answer did not come in time
   */
  record VcpuView(
      int vcpu,
      State state,
      Optional<Integer> server,
      Optional<Long> request,
      Optional<Long> ageNanos,
      Optional<Boolean> overdue,
      Optional<Gfn> stuckAt,
      Optional<Long> retries) {}

  static List<Route> routes() {
    return List.of(
        Route.get("/v1/domains/{d}/vcpus", "What each vCPU of a domain waits for")
            .answering(Page.ofItems(VcpuView.class))
            .on(VcpuWaitRoutes::list));
  }

  private static Function<Machine, Reply> list(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = IoRequestRoutes.translated(name.in(machine.hypervisor().domains()));
      long now = machine.hypervisor().clock().now();
      return Reply.ok(
          Page.whole(
              IntStream.range(0, domain.run().vcpus())
                  .mapToObj(vcpu -> view(domain, vcpu, now))
                  .toList()));
    };
  }

  private static VcpuView view(Domain domain, int vcpu, long now) {
    DomainIo io = domain.facet(DomainIo.class);
    Optional<PendingIo> pending = io.oldest(vcpu);
    Optional<DomainIo.Stuck> stuck = io.stuck(vcpu);
    State state =
        pending.isPresent() || domain.run().isVcpuPaused(vcpu)
            ? State.WAITING
            : stuck.isPresent() ? State.STUCK : State.READY;
    return new VcpuView(
        vcpu,
        state,
        pending.map(one -> one.server().id()),
        pending.map(PendingIo::number),
        pending.map(one -> now - one.since()),
        pending.map(PendingIo::isOverdue),
        stuck.map(DomainIo.Stuck::gfn),
        stuck.map(DomainIo.Stuck::retries));
  }
}
