package io.hypercalld.core.p2m;

import io.hypercalld.core.errno.Errno;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Changes of a P2M by kind, and by errno those that were refused. Confined to the machine thread.
 */
public final class P2mUpdates {
  private final long[] done = new long[P2mUpdate.values().length];
  private final Map<P2mUpdate, Map<Errno, Long>> refused = new EnumMap<>(P2mUpdate.class);

  /** Changes that were made; one for each run of leaves in a table. */
  public long done(P2mUpdate update) {
    return done[update.number()];
  }

  /** Changes that were refused. */
  public Map<Errno, Long> refused(P2mUpdate update) {
    return Collections.unmodifiableMap(refused.getOrDefault(update, Map.of()));
  }

  void done(P2mUpdate update, long times) {
    done[update.number()] += times;
  }

  void refused(P2mUpdate update, Errno errno) {
    refused.computeIfAbsent(update, _ -> new EnumMap<>(Errno.class)).merge(errno, 1L, Long::sum);
  }

  void add(P2mUpdates other) {
    for (P2mUpdate update : P2mUpdate.values()) {
      done(update, other.done(update));
      other
          .refused(update)
          .forEach(
              (errno, times) ->
                  refused
                      .computeIfAbsent(update, _ -> new EnumMap<>(Errno.class))
                      .merge(errno, times, Long::sum));
    }
  }
}
