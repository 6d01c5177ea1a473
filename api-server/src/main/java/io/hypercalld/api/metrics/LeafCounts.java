package io.hypercalld.api.metrics;

import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The leaves of a P2M by type and order. Immutable.
 *
 * @param byType number of leaves by the log2 of their frames
 */
record LeafCounts(Map<P2mType, Map<Integer, Long>> byType) {
  /** Tables whose entries can be counted without anybody noticing. */
  private static final long MOST_TABLES = 64;

  /** Counts them, unless there are so many that it would take long. */
  static Optional<LeafCounts> of(P2mTable p2m) {
    if (p2m.tables() > MOST_TABLES) {
      return Optional.empty();
    }
    Map<P2mType, Map<Integer, Long>> byType = new TreeMap<>();
    Optional<P2mRun> next = p2m.nextRun(new Gfn(0));
    while (next.isPresent()) {
      P2mRun run = next.get();
      byType
          .computeIfAbsent(run.type(), _ -> new TreeMap<>())
          .merge(run.order(), run.count(), Long::sum);
      next = p2m.nextRun(new Gfn(run.gfn().value() + (run.count() << run.order())));
    }
    return Optional.of(new LeafCounts(byType));
  }
}
