package io.hypercalld.api.metrics;

import io.hypercalld.api.machine.SyncMeter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Virtual IOMMUs of a snapshot as metrics. Immutable. */
final class ViommuFamilies {
  private final MetricsSnapshot machine;

  ViommuFamilies(MetricsSnapshot machine) {
    this.machine = machine;
  }

  List<Family> all() {
    return List.of(
        of(
            Family.gauge(
                "hv_viommu_shadow_entries", "Pages of guests' tables that shadows follow."),
            ViommuSample::entries),
        of(
            Family.gauge("hv_viommu_shadow_pages", "Frames that tables of shadows take."),
            ViommuSample::pages),
        of(
            Family.counter(
                "hv_viommu_missing_invalidations",
                "Requests that met what their guest had changed and not had forgotten."),
            ViommuSample::missingInvalidations),
        of(
            Family.counter(
                "hv_viommu_shadow_syncs", "Times that shadows of guests' tables were synced."),
            "trigger",
            ViommuSample::syncs),
        of(
            Family.counter(
                "hv_viommu_guest_faults", "Faults of physical devices that went to the guest."),
            "reason",
            ViommuSample::guestFaults),
        invalidations(),
        durations());
  }

  private Family invalidations() {
    Family family =
        Family.counter(
            "hv_viommu_invalidations", "Invalidations that guests had their units carry out.");
    int rank = 0;
    for (DomainSample domain : machine.domains()) {
      List<InvalidationCount> counts =
          domain.viommu().map(ViommuSample::invalidations).orElse(List.of());
      for (InvalidationCount kind : counts) {
        family.withObject(
            rank,
            kind.count(),
            "domid",
            Integer.toString(domain.domid()),
            "type",
            kind.type(),
            "granularity",
            kind.granularity());
      }
      rank++;
    }
    return family;
  }

  private Family durations() {
    Family family =
        Family.histogram(
            "hv_viommu_shadow_sync_duration_seconds",
            "Time that shadows took to be brought into step, units included.");
    for (SyncMeter.Sample sync : machine.syncs()) {
      family.withBuckets(
          CallFamilies.BOUNDS,
          sync.buckets(),
          sync.nanos() / CallFamilies.NANOS_PER_SECOND,
          "trigger",
          sync.trigger());
    }
    return family;
  }

  private Family of(Family family, ToLongFunction<ViommuSample> figure) {
    int rank = 0;
    for (DomainSample domain : machine.domains()) {
      String id = Integer.toString(domain.domid());
      int place = rank;
      domain
          .viommu()
          .ifPresent(sample -> family.withObject(place, figure.applyAsLong(sample), "domid", id));
      rank++;
    }
    return family;
  }

  private Family of(
      Family family, String label, Function<ViommuSample, Map<String, Long>> figures) {
    int rank = 0;
    for (DomainSample domain : machine.domains()) {
      String id = Integer.toString(domain.domid());
      int place = rank;
      domain
          .viommu()
          .map(figures)
          .ifPresent(
              counts ->
                  new TreeMap<>(counts)
                      .forEach(
                          (key, value) ->
                              family.withObject(place, value, "domid", id, label, key)));
      rank++;
    }
    return family;
  }
}
