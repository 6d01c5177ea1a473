package io.hypercalld.core.guest;

import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Guests' accesses that their P2M entry did not let through, since the start. Confined to the
 * machine thread.
 */
public final class FaultCounts {
  private final Map<P2mType, Map<MemoryAccess.Kind, Count>> counts = new EnumMap<>(P2mType.class);

  /** How often accesses of a kind were stopped at pages of a type. */
  public record Sample(P2mType type, MemoryAccess.Kind kind, long count) {}

  private static final class Count {
    private long value;
  }

  void count(P2mType type, MemoryAccess.Kind kind) {
    counts
        .computeIfAbsent(type, _ -> new EnumMap<>(MemoryAccess.Kind.class))
        .computeIfAbsent(kind, _ -> new Count())
        .value++;
  }

  /** Those that happened at all, by type and kind. */
  public List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    counts.forEach(
        (type, kinds) ->
            kinds.forEach((kind, count) -> samples.add(new Sample(type, kind, count.value))));
    return List.copyOf(samples);
  }
}
