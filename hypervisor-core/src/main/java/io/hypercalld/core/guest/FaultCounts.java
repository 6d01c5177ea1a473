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
  private static final int TYPES = P2mType.values().length;

  /** By number of the type. */
  private final Map<MemoryAccess.Kind, long[]> counts = new EnumMap<>(MemoryAccess.Kind.class);

  /** How often accesses of a kind were stopped at pages of a type. */
  public record Sample(P2mType type, MemoryAccess.Kind kind, long count) {}

  void count(P2mType type, MemoryAccess.Kind kind) {
    counts.computeIfAbsent(kind, _ -> new long[TYPES])[type.number()]++;
  }

  /** Those that happened at all, by kind and type. */
  public List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    counts.forEach(
        (kind, byType) -> {
          for (P2mType type : P2mType.values()) {
            if (byType[type.number()] > 0) {
              samples.add(new Sample(type, kind, byType[type.number()]));
            }
          }
        });
    return List.copyOf(samples);
  }
}
