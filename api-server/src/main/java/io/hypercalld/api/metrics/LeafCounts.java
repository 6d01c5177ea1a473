package io.hypercalld.api.metrics;

import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Map;
import java.util.TreeMap;

/**
 * The leaves of a P2M by type and order. Immutable.
 *
 * @param byType number of leaves by the log2 of their frames
 */
record LeafCounts(Map<P2mType, Map<Integer, Long>> byType) {

  /** As the P2M counts them, by the types that it stores. */
  static LeafCounts of(P2mTable p2m) {
    P2mGeometry geometry = p2m.geometry();
    Map<P2mType, Map<Integer, Long>> byType = new TreeMap<>();
    for (P2mType type : P2mType.values()) {
      for (int level = 1; level <= geometry.levels(); level++) {
        int order = geometry.order(level);
        long count = p2m.entries(type, order);
        if (count > 0) {
          byType.computeIfAbsent(type, _ -> new TreeMap<>()).put(order, count);
        }
      }
    }
    return new LeafCounts(byType);
  }
}
