package io.hypercalld.api.resource;

import io.hypercalld.api.machine.ChooseDomainPolicies;
import io.hypercalld.api.machine.ClaimChoices;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.DmaChoices;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.ResetDomainCounters;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.PauseDomain;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.IommuApi;
import io.hypercalld.ioreq.server.ClaimPolicies;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains}. Immutable. */
final class DomainRoutes {
  private static final String ALL = "/v1/domains";
  private static final String ONE = "/v1/domains/{d}";

  private DomainRoutes() {}

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "The domains, by id")
            .taking(
                Parameter.optional("state", "only those in this state", DomainView.State.class),
                Page.LIMIT,
                Page.CURSOR)
            .answering(Page.ofItems(DomainView.class))
            .on(DomainRoutes::list),
        Route.of(Method.POST, ALL, "Creates, limits and populates a domain: all or nothing")
            .reading(NewDomain.class)
            .answering(201, DomainView.class)
            .on(DomainRoutes::create)
            .guardedBy(DomainRoutes::list),
        Route.get(ONE, "One domain, by id or by name")
            .answering(DomainView.class)
            .on(DomainRoutes::show),
        Route.of(Method.PATCH, ONE, "Changes policies that may change while a domain lives")
            .reading(DomainChange.class)
            .answering(DomainView.class)
            .on(DomainRoutes::change)
            .guardedBy(DomainRoutes::show),
        Route.of(Method.DELETE, ONE, "Destroys a domain")
            .on(DomainRoutes::destroy)
            .guardedBy(DomainRoutes::show),
        Route.of(Method.POST, ONE + "/actions/pause", "Stops a domain's vCPUs; counted")
            .answering(DomainView.class)
            .on(request -> act(request, PauseDomain::new))
            .guardedBy(DomainRoutes::show),
        Route.of(Method.POST, ONE + "/actions/unpause", "Lets a domain's vCPUs go on; counted")
            .answering(DomainView.class)
            .on(request -> act(request, UnpauseDomain::new))
            .guardedBy(DomainRoutes::show),
        Route.get(ONE + "/counters", "What a domain has cost since the last reset")
            .answering(Object.class)
            .on(DomainRoutes::counters),
        Route.of(Method.POST, ONE + "/counters/reset", "Sets a domain's counters to zero")
            .on(DomainRoutes::resetCounters));
  }

  private static Function<Machine, Reply> list(Request request) {
    Optional<DomainView.State> state =
        request.parameter("state").map(text -> choice(text, DomainView.State.class));
    return machine -> {
      List<Domain> domains =
          machine.hypervisor().domains().all().stream()
              .filter(domain -> state.isEmpty() || DomainView.state(domain) == state.get())
              .toList();
      return Reply.ok(
          Page.of(
              request,
              machine,
              () -> domains.stream().map(domain -> DomainView.of(machine, domain)).toList()));
    };
  }

  /**
   * The constant that a query parameter names.
   *
   * @throws Failure 400
   */
  static <E extends Enum<E>> E choice(String text, Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      if (constant.toString().toLowerCase(Locale.ROOT).equals(text)) {
        return constant;
      }
    }
    throw Failure.of(Problems.INVALID_PARAMETER, "%s is none of the values there are", text);
  }

  private static Function<Machine, Reply> create(Request request) {
    ComposeDomain command = request.read(NewDomain.class).toCommand();
    return machine -> {
      Domain created = machine.execute(command);
      return Reply.created(ALL + "/" + created.id().value(), DomainView.of(machine, created));
    };
  }

  static Function<Machine, Reply> show(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> Reply.ok(DomainView.of(machine, name.in(machine.hypervisor().domains())));
  }

  /** What may change of a domain. */
  record DomainChange(Changes policies) {}

  /** Policies that may change while a domain lives. */
  record Changes(
      Optional<List<SyncHook>> syncHooks,
      Optional<FlushPolicy> flush,
      Optional<DmaMode> dmaMode,
      Optional<IommuApi> iommuApi,
      Optional<Integer> nbCtx,
      Optional<ClaimPolicies.Unclaimed> unclaimed,
      Optional<ClaimPolicies.ClaimAccess> claimAccess,
      Optional<ClaimPolicies.ClaimUpdate> claimUpdate,
      Optional<ClaimPolicies.Destroyed> serverDestroy,
      Optional<Integer> claimTypes,
      Optional<ClaimPolicies.Generation> claimProfile) {
    ChooseDomainPolicies of(DomainId domain) {
      return new ChooseDomainPolicies(
          domain,
          new ClaimChoices(
              unclaimed, claimAccess, claimUpdate, serverDestroy, claimTypes, claimProfile),
          new DmaChoices(dmaMode, iommuApi, nbCtx),
          syncHooks.map(MemoryChoices::set),
          flush);
    }
  }

  private static Function<Machine, Reply> change(Request request) {
    Names.DomainName name = Names.domain(request);
    DomainChange wanted = request.read(DomainChange.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      machine.execute(wanted.policies().of(domain.id()));
      return Reply.ok(DomainView.of(machine, domain));
    };
  }

  private static Function<Machine, Reply> destroy(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      call(machine, new DestroyDomain(domain.id()));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> act(
      Request request, Function<DomainId, Hypercall> action) {
    Names.DomainName name = Names.domain(request);
    request.read(NoMembers.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      call(machine, action.apply(domain.id()));
      return Reply.ok(DomainView.of(machine, domain));
    };
  }

  /** Makes a hypercall as dom0, which is who drives the resources. */
  static void call(Machine machine, Hypercall arguments) {
    Refusals.require(machine, arguments, machine.call(DomainId.DOM0, arguments));
  }

  private static Function<Machine, Reply> counters(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> Reply.ok(CounterViews.of(name.in(machine.hypervisor().domains())));
  }

  private static Function<Machine, Reply> resetCounters(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      machine.execute(new ResetDomainCounters(domain.id()));
      return Reply.done();
    };
  }
}
