package io.hypercalld.core.domain;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What gives way when a range of a domain's memory is mapped over. Confined to the machine thread.
 *
 * <p>Frames of RAM become orphans; what only dedicated operations may remove crashes the domain.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_add_page"
 */
final class Displacement {
  private final Domain domain;
  private final PhysicalMap map;
  private final FrameTable frames;

  Displacement(Domain domain, PhysicalMap map, FrameTable frames) {
    this.domain = domain;
    this.map = map;
    this.frames = frames;
  }

  /**
   * Maps over a range.
   *
   * @param hook why it is mapped
   * @throws Refusal EPERM over an entry that may not be replaced, which crashes the domain; ENOMEM
   *     over a shared page that cannot be unshared; as the change, and then what was mapped is no
   *     orphan
   */
  void replacing(Gfn gfn, long count, SyncHook hook, Runnable change) {
    boolean anything = !domain.p2m().isUnmapped(gfn, count);
    if (anything) {
      forEachRun(gfn, count, this::requireReplaceable);
      forEachRun(gfn, count, this::unshare);
      forEachRun(gfn, count, run -> noteMapped(run, false));
    }
    long paged = anything ? pagedPages(gfn, count) : 0;
    try {
      domain.p2m().during(hook, change);
      domain.features().paging().overwritten(paged);
    } catch (Refusal refusal) {
      if (anything) {
        forEachRun(gfn, count, run -> noteMapped(run, true));
      }
      throw refusal;
    }
  }

  /** Guest frames of a range whose contents only a pager has. */
  private long pagedPages(Gfn gfn, long count) {
    long[] pages = new long[1];
    forEachRun(
        gfn,
        count,
        run ->
            pages[0] +=
                P2mType.PAGING.contains(run.type()) && !run.mfn().isValid() ? run.count() : 0);
    return pages[0];
  }

  private void requireReplaceable(P2mRun run) {
    if (P2mType.SPECIAL.contains(run.type())) {
      domain.crash("mapped over %s at guest frame %s".formatted(run.type(), run.gfn()));
      throw Refusal.of(
          Errno.EPERM, "guest frame %s of %s is %s", run.gfn(), domain.id(), run.type());
    }
  }

  private void unshare(P2mRun run) {
    if (run.type() != P2mType.RAM_SHARED) {
      return;
    }
    for (long page = 0; page < run.count(); page++) {
      Gfn gfn = new Gfn(run.gfn().value() + page);
      if (map.obtainUnshared(gfn).type() == P2mType.RAM_SHARED) {
        throw Refusal.of(Errno.ENOMEM, "guest frame %s of %s stays shared", gfn, domain.id());
      }
    }
  }

  private void noteMapped(P2mRun run, boolean mapped) {
    if (P2mType.RAM.contains(run.type()) && frames.contains(run.mfn().value())) {
      frames.mapped(
          run.mfn().value(), run.count(), mapped ? run.gfn().value() : FrameTable.INVALID_M2P);
    }
  }

  /** Runs of the P2M in a range, cut to it and counted in frames. */
  private void forEachRun(Gfn first, long count, Consumer<P2mRun> action) {
    long end = first.value() + count;
    Optional<P2mRun> next = domain.p2m().nextRun(first);
    while (next.isPresent() && next.get().gfn().value() < end) {
      P2mRun run = next.get();
      long runEnd = run.gfn().value() + (run.count() << run.order());
      long from = Math.max(run.gfn().value(), first.value());
      long to = Math.min(runEnd, end);
      Mfn mfn = run.mfn().isValid() ? run.mfn().plus(from - run.gfn().value()) : run.mfn();
      action.accept(new P2mRun(new Gfn(from), mfn, 0, run.type(), run.access(), to - from));
      next = domain.p2m().nextRun(new Gfn(runEnd));
    }
  }
}
