package io.hypercalld.core;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.GrantMapping;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The references to frames, beside those of their allocation, that follow from who uses them.
 * Confined to the machine thread; used for one check and thrown away.
 */
final class ExpectedReferences {
  private final TreeMap<Long, Long> byFrame = new TreeMap<>();
  private final TreeMap<Integer, Long> foreignFrames = new TreeMap<>();

  ExpectedReferences(Hypervisor hypervisor) {
    hypervisor.domains().all().forEach(this::count);
  }

  /** References to one frame. */
  long of(long mfn) {
    return byFrame.getOrDefault(mfn, 0L);
  }

  /** Whether there are any to some consecutive frames. */
  boolean isAnyIn(long mfn, long count) {
    return !byFrame.subMap(mfn, mfn + count).isEmpty();
  }

  /** Frames of others in the domain's P2M. */
  long foreignFrames(Domain domain) {
    return foreignFrames.getOrDefault(domain.id().value(), 0L);
  }

  private void count(Domain domain) {
    domain.findP2m().ifPresent(p2m -> countForeign(domain, p2m));
    for (GrantMapping mapping : domain.grantMappings().all().values()) {
      add(domain.grantMappings().frame(mapping).value(), 1);
    }
    domain.referencedFrames().forEach(frame -> add(frame.value(), 1));
    if (domain.type().isTranslated()) {
      for (VmEventRing.Kind kind : VmEventRing.Kind.values()) {
        Optional<Mfn> page = domain.vmEvents().ring(kind).page();
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
        foreignFrames.merge(domain.id().value(), mapped, Long::sum);
        add(run.mfn().value(), mapped);
      }
      next = p2m.nextRun(new Gfn(run.gfn().value() + (run.count() << run.order())));
    }
  }

  private void add(long mfn, long count) {
    for (long frame = mfn; frame < mfn + count; frame++) {
      byFrame.merge(frame, 1L, Long::sum);
    }
  }
}
