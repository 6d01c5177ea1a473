package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** {@code /v1/domains/{d}/p2m}. Immutable. */
final class P2mRoutes {
  private static final String ALL = "/v1/domains/{d}/p2m";

  private P2mRoutes() {}

  /** Neighbouring leaves alike; {@code count} is the number of leaves. */
  record RunView(
      Gfn gfn, Optional<Mfn> mfn, int order, P2mType type, P2mAccess access, long count) {}

  /**
   * What is behind one guest frame.
   *
   * @param raw the entry where the walk ends
   * @param fields its fields, by their names
   * @param m2p the guest frame that the frame says maps it; empty where it says none
   */
  record EntryView(
      Gfn gfn,
      Optional<Mfn> mfn,
      int order,
      P2mType type,
      P2mAccess access,
      Optional<Word> raw,
      Map<String, Word> fields,
      Optional<Gfn> m2p,
      List<Step> walk) {}

  /** One entry on the way to a guest frame. */
  record Step(int level, Word address, Word raw, Map<String, Word> fields, String verdict) {}

  /** Pages of which the domain's P2M tables are made. */
  record PoolView(long totalPages, long usedPages, long freePages, long totalBytes) {}

  static List<Route> routes() {
    return List.of(
        Route.get(ALL, "What is mapped, as runs of leaves of equal type and order")
            .taking(
                Parameter.optional("from", "first guest frame", Gfn.class),
                Parameter.optional("to", "guest frame to stop before", Gfn.class),
                Parameter.optional("type", "only this type", P2mType.class),
                Page.LIMIT,
                Page.CURSOR)
            .answering(Page.ofItems(RunView.class))
            .on(P2mRoutes::list),
        Route.get(ALL + "/{gfn}", "What is behind one guest frame, and the walk to it")
            .answering(EntryView.class)
            .on(P2mRoutes::show),
        Route.get("/v1/domains/{d}/paging-pool", "The pages of which the P2M's tables are made")
            .answering(PoolView.class)
            .on(P2mRoutes::pool));
  }

  private static Function<Machine, Reply> list(Request request) {
    Names.DomainName name = Names.domain(request);
    long from = Names.optionalWord(request, "from").map(Word::value).orElse(0L);
    long to = Names.optionalWord(request, "to").map(Word::value).orElse(Long.MAX_VALUE);
    Optional<P2mType> type =
        request.parameter("type").map(text -> DomainRoutes.choice(text, P2mType.class));
    return machine -> {
      P2mTable p2m = p2m(name.in(machine.hypervisor().domains()));
      return Reply.ok(
          Page.of(
              request,
              machine,
              rest -> runs(p2m, new Range(rest.map(Long::decode).orElse(from), to, type))));
    };
  }

  /** Runs that somebody wants, from one guest frame to before another. */
  private record Range(long from, long to, Optional<P2mType> type) {}

  private static Page.Part runs(P2mTable p2m, Range range) {
    List<RunView> items = new ArrayList<>();
    Optional<P2mRun> next = p2m.nextRun(new Gfn(range.from));
    while (next.filter(run -> run.gfn().value() < range.to).isPresent()
        && items.size() < Page.PART) {
      P2mRun run = next.get();
      if (range.type.isEmpty() || range.type.get() == run.type()) {
        items.add(view(run, range.to));
      }
      next = p2m.nextRun(end(run));
    }
    return new Page.Part(
        items, next.map(P2mRun::gfn).filter(gfn -> gfn.value() < range.to).map(Gfn::toString));
  }

  /** The guest frame after a run. */
  static Gfn end(P2mRun run) {
    return run.gfn().plus(run.count() << run.order());
  }

  static RunView view(P2mRun run) {
    return view(run, Long.MAX_VALUE);
  }

  private static RunView view(P2mRun run, long to) {
    long room = to - run.gfn().value();
    long leaves = (room + (1L << run.order()) - 1) >>> run.order();
    long count = to == Long.MAX_VALUE ? run.count() : Math.min(run.count(), leaves);
    return new RunView(run.gfn(), present(run.mfn()), run.order(), run.type(), run.access(), count);
  }

  private static Function<Machine, Reply> show(Request request) {
    Names.DomainName name = Names.domain(request);
    Gfn gfn = Names.gfn(request);
    return machine -> {
      P2mTable p2m = p2m(name.in(machine.hypervisor().domains()));
      P2mLookup found = p2m.lookup(gfn);
      List<Step> walk =
          p2m.explain(gfn).stream()
              .map(
                  step ->
                      new Step(
                          step.level(),
                          step.entryAddress(),
                          step.raw(),
                          step.fields(),
                          step.verdict().name().toLowerCase(java.util.Locale.ROOT)))
              .toList();
      Optional<Step> end = walk.isEmpty() ? Optional.empty() : Optional.of(walk.getLast());
      return Reply.ok(
          new EntryView(
              gfn,
              present(found.mfn()),
              found.order(),
              found.type(),
              found.access(),
              end.map(Step::raw),
              end.map(Step::fields).orElse(Map.of()),
              FrameRoutes.mappedAt(machine.hypervisor().frames(), found.mfn()),
              walk));
    };
  }

  private static Function<Machine, Reply> pool(Request request) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      PagingPool pool =
          domain
              .memory()
              .pagingPool()
              .orElseThrow(
                  () -> Refusal.of(Errno.EOPNOTSUPP, "%s has no paging pool", domain.id()));
      return Reply.ok(
          new PoolView(
              pool.totalPages(),
              pool.usedPages(),
              pool.freePages(),
              pool.totalPages() << PageSize.SHIFT_4K));
    };
  }

  private static P2mTable p2m(Domain domain) {
    return domain
        .findP2m()
        .orElseThrow(
            () -> Refusal.of(Errno.EOPNOTSUPP, "domain %d has no P2M", domain.id().value()));
  }

  private static Optional<Mfn> present(Mfn mfn) {
    return mfn.isValid() ? Optional.of(mfn) : Optional.empty();
  }
}
