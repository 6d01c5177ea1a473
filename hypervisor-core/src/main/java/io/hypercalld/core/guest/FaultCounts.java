package io.hypercalld.core.guest;

import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;

/**
 * Guests' accesses that their P2M entry did not let through, since the start. Confined to the
 * machine thread.
 */
public final class FaultCounts {
  private static final List<P2mType> TYPES = List.of(P2mType.values());
  private static final List<MemoryAccess.Kind> KINDS = List.of(MemoryAccess.Kind.values());

  private final long[] counts = new long[TYPES.size() * KINDS.size()];

  /** How often accesses of a kind were stopped at pages of a type. */
  public record Sample(P2mType type, MemoryAccess.Kind kind, long count) {}

  void count(P2mType type, MemoryAccess.Kind kind) {
    counts[index(type, kind)]++;
  }

  /** Those that happened at all, by type and kind. */
  public List<Sample> samples() {
    List<Sample> samples = new ArrayList<>();
    for (P2mType type : TYPES) {
      for (MemoryAccess.Kind kind : KINDS) {
        long count = counts[index(type, kind)];
        if (count > 0) {
          samples.add(new Sample(type, kind, count));
        }
      }
    }
    return List.copyOf(samples);
  }

  private static int index(P2mType type, MemoryAccess.Kind kind) {
    return type.ordinal() * KINDS.size() + kind.ordinal();
  }
}
