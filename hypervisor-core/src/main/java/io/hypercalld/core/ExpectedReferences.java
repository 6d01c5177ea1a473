package io.hypercalld.core;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.GrantMapping;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;
import java.util.stream.LongStream;
import org.agrona.collections.Long2LongCounterMap;
import org.agrona.collections.LongHashSet;

/**
 * The references to frames, beside those of their allocation, that follow from who uses them.
 * Confined to the machine thread; used for one check and thrown away.
 */
final class ExpectedReferences {
  private static final int REGION_ORDER = PageSize.SIZE_2M.order();

  private final Long2LongCounterMap byFrame = new Long2LongCounterMap(0);
  private final Long2LongCounterMap foreignFrames = new Long2LongCounterMap(0);

  /** Regions of 2 MiB that have such frames. */
  private final LongHashSet regions = new LongHashSet();

  ExpectedReferences(Hypervisor hypervisor) {
    hypervisor.domains().all().forEach(this::count);
  }

  /** References to one frame. */
  long of(long mfn) {
    return byFrame.get(mfn);
  }

  /** Whether there are any to some consecutive frames. */
  boolean isAnyIn(long mfn, long count) {
    long end = mfn + count;
    for (long from = mfn; from < end; from = ((from >>> REGION_ORDER) + 1) << REGION_ORDER) {
      if (regions.contains(from >>> REGION_ORDER) && isAnyInRegion(from, end)) {
        return true;
      }
    }
    return false;
  }

  private boolean isAnyInRegion(long from, long end) {
    long stop = Math.min(end, ((from >>> REGION_ORDER) + 1) << REGION_ORDER);
    return LongStream.range(from, stop).anyMatch(frame -> byFrame.get(frame) != 0);
  }

  /** Frames of others in the domain's P2M. */
  long foreignFrames(Domain domain) {
    return foreignFrames.get(domain.id().value());
  }

  private void count(Domain domain) {
    domain.findP2m().ifPresent(p2m -> countForeign(domain, p2m));
    for (GrantMapping mapping : domain.memory().grantMappings().all().values()) {
      add(domain.memory().grantMappings().frame(mapping).value(), 1);
    }
    domain.facets().referencedFrames().forEach(frame -> add(frame.value(), 1));
    if (domain.type().isTranslated()) {
      for (VmEventRing.Kind kind : VmEventRing.Kind.values()) {
        Optional<Mfn> page = domain.features().events().ring(kind).page();
        page.ifPresent(frame -> add(frame.value(), 1));
      }
    }
  }

  private void countForeign(Domain domain, P2mTable p2m) {
    // None of them is looked for where none can be.
    Optional<P2mRun> next =
        p2m.entries(P2mType.MAP_FOREIGN) == 0 ? Optional.empty() : p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      if (run.type() == P2mType.MAP_FOREIGN) {
        long mapped = run.count() << run.order();
        foreignFrames.addAndGet(domain.id().value(), mapped);
        add(run.mfn().value(), mapped);
      }
      next = p2m.nextRun(new Gfn(run.gfn().value() + (run.count() << run.order())));
    }
  }

  private void add(long mfn, long count) {
    for (long frame = mfn; frame < mfn + count; frame++) {
      byFrame.addAndGet(frame, 1);
      regions.add(frame >>> REGION_ORDER);
    }
  }
}
