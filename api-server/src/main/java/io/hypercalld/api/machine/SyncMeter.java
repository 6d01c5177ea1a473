package io.hypercalld.api.machine;

import io.hypercalld.iommu.virtual.SyncTrigger;
import io.hypercalld.iommu.virtual.SyncWatcher;
import java.util.EnumMap;
import java.util.List;

/**
 * Times how long guests' shadows take to be brought into step. Confined to the machine thread.
 *
 * <p>The times are for people who watch; nothing that the machine does depends on them.
 */
public final class SyncMeter implements SyncWatcher {
  private final EnumMap<SyncTrigger, Durations> durations = new EnumMap<>(SyncTrigger.class);
  private long began;

  /**
   * How long it took for one reason. Immutable.
   *
   * @param buckets how often, by duration, each bucket without those below
   */
  public record Sample(String trigger, List<Long> buckets, long nanos) {}

  @Override
  public void begins() {
    began = System.nanoTime();
  }

  @Override
  public void ends(SyncTrigger trigger) {
    durations.computeIfAbsent(trigger, _ -> new Durations()).add(System.nanoTime() - began);
  }

  /** Every reason that there has been. */
  public List<Sample> samples() {
    return durations.entrySet().stream()
        .map(each -> sample(each.getKey(), each.getValue()))
        .toList();
  }

  private static Sample sample(SyncTrigger trigger, Durations durations) {
    return new Sample(trigger.toString(), durations.buckets(), durations.nanos());
  }
}
