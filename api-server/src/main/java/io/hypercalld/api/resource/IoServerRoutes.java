package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.ComposeServer;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.SetIoTimeout;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.TimeoutPolicy;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.hypercall.MapIoRange;
import io.hypercalld.ioreq.hypercall.MapMemType;
import io.hypercalld.ioreq.hypercall.SetIoreqServerState;
import io.hypercalld.ioreq.hypercall.UnmapIoRange;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains/{d}/ioreq-servers}: device models of a domain's. Immutable. */
final class IoServerRoutes {
  static final String ALL = "/v1/domains/{d}/ioreq-servers";
  static final String ONE = ALL + "/{id}";

  private static final long CLAIMED_TYPE = 4;
  private static final long WRITES = 2;

  private IoServerRoutes() {}

  /** A range as it is told and asked for; its end is included. */
  record RangeView(RangeKind type, Word start, Word end) {
    static RangeView of(RangeKind kind, NumberRange range) {
      return new RangeView(kind, new Word(range.first()), new Word(range.last()));
    }
  }

  /**
   * A server as it is asked for.
   *
   * @param extDestId whether it passes on messages with destinations of 15 bits
   */
  record NewServer(
      @OrElse("\"off\"") BufferedMode bufioreq,
      @OrElse("true") boolean enabled,
      @OrElse("false") boolean extDestId,
      @OrElse("[]") List<RangeView> ranges) {
    IoServer.Traits traits() {
      return new IoServer.Traits(bufioreq, extDestId);
    }
  }

  /** What may change of one. */
  record ServerChange(Optional<Boolean> enabled, Optional<Boolean> claimsPages) {}

  /**
   * A server as it is told.
   *
   * @param ports of the vCPUs, in their order
   * @param claimsPages whether pages of type ioreq_server are its own
   * @param extDestId whether it passes on messages with destinations of 15 bits
   * @param pending requests without an answer
   */
  record ServerView(
      int id,
      int emulator,
      boolean enabled,
      BufferedMode bufioreq,
      List<Integer> ports,
      Optional<Integer> bufioreqPort,
      Optional<Gfn> ioreqGfn,
      Optional<Gfn> bufioreqGfn,
      List<RangeView> ranges,
      boolean claimsPages,
      boolean extDestId,
      int pending) {}

  /** What becomes of requests that are not answered, and what is stuck. */
  record TimeoutView(long afterNanos, TimeoutPolicy.Action action) {}

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "Device models of a domain")
            .answering(Page.ofItems(ServerView.class))
            .on(IoServerRoutes::list),
        Route.of(Method.POST, ALL, "Makes a device model: its pages, its ranges, enabled")
            .reading(NewServer.class)
            .answering(201, ServerView.class)
            .on(IoServerRoutes::create),
        Route.get(ONE, "A device model").answering(ServerView.class).on(IoServerRoutes::show),
        Route.of(Method.PATCH, ONE, "Enables it, or has it claim the page type")
            .reading(ServerChange.class)
            .answering(ServerView.class)
            .on(IoServerRoutes::change)
            .guardedBy(IoServerRoutes::show),
        Route.of(Method.DELETE, ONE, "Takes it away; what waits for it reads all ones")
            .on(IoServerRoutes::destroy)
            .guardedBy(IoServerRoutes::show),
        Route.get(ONE + "/ranges", "What it answers for")
            .answering(Page.ofItems(RangeView.class))
            .on(IoServerRoutes::ranges),
        Route.of(Method.POST, ONE + "/ranges", "Has it answer for a range")
            .reading(RangeView.class)
            .on(request -> changeRange(request, true)),
        Route.of(Method.DELETE, ONE + "/ranges", "Has it not answer for a range any more")
            .reading(RangeView.class)
            .on(request -> changeRange(request, false)),
        Route.of(
                Method.PUT,
                "/v1/domains/{d}/ioreq-timeout",
                "What becomes of requests that are not answered, by the machine's clock")
            .reading(TimeoutView.class)
            .answering(TimeoutView.class)
            .on(IoServerRoutes::setTimeout));
  }

  static IoServer find(Request request, Domain domain) {
    return servers(domain).get(Names.number(request, "id"));
  }

  private static IoServers servers(Domain domain) {
    return IoRequestRoutes.translated(domain).facet(IoServers.class);
  }

  private static Function<Machine, Reply> list(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(
          Page.whole(servers(domain).all().stream().map(server -> view(domain, server)).toList()));
    };
  }

  private static Function<Machine, Reply> show(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(view(domain, find(request, domain)));
    };
  }

  private static Function<Machine, Reply> create(Request request) {
    Names.DomainName name = Names.domain(request);
    NewServer wanted = request.read(NewServer.class);
    List<ComposeServer.Range> ranges =
        wanted.ranges.stream()
            .map(range -> new ComposeServer.Range(range.type, span(range)))
            .toList();
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      IoServer server =
          machine.execute(new ComposeServer(domain.id(), wanted.traits(), ranges, wanted.enabled));
      return Reply.created(
          "/v1/domains/%d/ioreq-servers/%d".formatted(domain.id().value(), server.id()),
          view(domain, server));
    };
  }

  private static NumberRange span(RangeView range) {
    if (Long.compareUnsigned(range.start.value(), range.end.value()) > 0) {
      throw InvalidBody.at("/ranges", "the range from %s ends before it begins", range.start);
    }
    return new NumberRange(range.start.value(), range.end.value());
  }

  private static Function<Machine, Reply> change(Request request) {
    Names.DomainName name = Names.domain(request);
    long id = Names.number(request, "id");
    ServerChange wanted = request.read(ServerChange.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      IoServer server = find(request, domain);
      wanted.claimsPages.ifPresent(
          claims ->
              DomainRoutes.call(
                  machine,
                  new MapMemType(domain.id(), id, CLAIMED_TYPE, claims ? WRITES : 0, new Word(0))));
      wanted.enabled.ifPresent(
          enabled ->
              DomainRoutes.call(
                  machine, new SetIoreqServerState(domain.id(), id, enabled ? 1 : 0, 0)));
      return Reply.ok(view(domain, server));
    };
  }

  private static Function<Machine, Reply> destroy(Request request) {
    Names.DomainName name = Names.domain(request);
    long id = Names.number(request, "id");
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      DomainRoutes.call(machine, new DestroyIoreqServer(domain.id(), id, 0));
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> ranges(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine ->
        Reply.ok(Page.whole(ranges(find(request, name.in(machine.hypervisor().domains())))));
  }

  private static List<RangeView> ranges(IoServer server) {
    List<RangeView> ranges = new ArrayList<>();
    for (RangeKind kind : RangeKind.values()) {
      server.ranges().ranges(kind).forEach(range -> ranges.add(RangeView.of(kind, range)));
    }
    return ranges;
  }

  private static Function<Machine, Reply> changeRange(Request request, boolean maps) {
    Names.DomainName name = Names.domain(request);
    long id = Names.number(request, "id");
    RangeView range = request.read(RangeView.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      int type = range.type.number();
      Hypercall call =
          maps
              ? new MapIoRange(domain.id(), id, 0, type, range.start, range.end)
              : new UnmapIoRange(domain.id(), id, 0, type, range.start, range.end);
      DomainRoutes.call(machine, call);
      return Reply.done();
    };
  }

  private static Function<Machine, Reply> setTimeout(Request request) {
    Names.DomainName name = Names.domain(request);
    TimeoutView wanted = request.read(TimeoutView.class);
    return machine -> {
      Domain domain = IoRequestRoutes.translated(name.in(machine.hypervisor().domains()));
      machine.execute(
          new SetIoTimeout(domain.id(), new TimeoutPolicy(wanted.afterNanos, wanted.action)));
      return Reply.ok(wanted);
    };
  }

  /** The servers of a domain; none where it cannot have any. */
  static List<ServerView> views(Domain domain) {
    return domain.findFacet(IoServers.class).stream()
        .flatMap(servers -> servers.all().stream())
        .map(server -> view(domain, server))
        .toList();
  }

  private static ServerView view(Domain domain, IoServer server) {
    return new ServerView(
        server.id(),
        server.emulator().value(),
        server.isEnabled(),
        server.mode(),
        server.ports(),
        server.ringPort(),
        server.pages().slotsGfn(),
        server.pages().ringGfn(),
        ranges(server),
        servers(domain).claims().isOwner(server),
        server.knowsExtendedDestinations(),
        domain.facet(DomainIo.class).pending(server.id()).size());
  }
}
