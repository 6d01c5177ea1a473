package io.hypercalld.api.resource;

import io.hypercalld.api.machine.AnswerVmEvent;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.VmEvent;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.function.Function;

/** {@code /v1/domains/{d}/vm-events}: what a pager or a monitor reads and answers. Immutable. */
final class VmEventRoutes {
  private static final String ALL = "/v1/domains/{d}/vm-events";

  private VmEventRoutes() {}

  /** One event without an answer yet. */
  record EventView(
      long id,
      VmEventRing.Kind ring,
      int vcpu,
      boolean vcpuPaused,
      Gfn gfn,
      int offset,
      P2mType type,
      List<VmEvent.Flag> flags) {}

  /**
   * The answer to one.
   *
   * @param dropPage of a paging event: leave the page as it is
   */
  record EventAnswer(long id, @OrElse("false") boolean dropPage) {}

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "Events of a domain's rings without an answer yet, oldest first")
            .taking(Page.LIMIT, Page.CURSOR)
            .answering(Page.ofItems(EventView.class))
            .on(VmEventRoutes::list),
        Route.of(Method.POST, ALL + "/responses", "Answers an event: its vCPU goes on")
            .reading(EventAnswer.class)
            .on(VmEventRoutes::answer));
  }

  private static Function<Machine, Reply> list(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = translated(name.in(machine.hypervisor().domains()));
      return Reply.ok(
          Page.of(
              request,
              machine,
              () ->
                  domain.features().events().waiting().stream().map(VmEventRoutes::view).toList()));
    };
  }

  private static EventView view(VmEvent event) {
    return new EventView(
        event.id(),
        event.ring(),
        event.vcpu(),
        event.vcpuPaused(),
        event.gfn(),
        event.offset(),
        event.type(),
        event.flags());
  }

  private static Function<Machine, Reply> answer(Request request) {
    Names.DomainName name = Names.domain(request);
    EventAnswer answer = request.read(EventAnswer.class);
    return machine -> {
      Domain domain = translated(name.in(machine.hypervisor().domains()));
      machine.execute(new AnswerVmEvent(domain.id(), answer.id(), answer.dropPage()));
      return Reply.done();
    };
  }

  private static Domain translated(Domain domain) {
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "%s is PV and has no event rings", domain.id());
    }
    return domain;
  }
}
