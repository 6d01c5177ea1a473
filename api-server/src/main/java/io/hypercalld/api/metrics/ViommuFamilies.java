package io.hypercalld.api.metrics;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Virtual IOMMUs of a snapshot as metrics. Immutable. */
final class ViommuFamilies {
  private final MetricsSnapshot machine;

  ViommuFamilies(MetricsSnapshot machine) {
    this.machine = machine;
  }

  List<Family> all() {
    return List.of(
        of(
            Family.counter(
                "hv_viommu_shadow_syncs", "Times that shadows of guests' tables were synced."),
            "trigger",
            ViommuSample::syncs),
        of(
            Family.counter(
                "hv_viommu_guest_faults", "Faults of physical devices that went to the guest."),
            "reason",
            ViommuSample::guestFaults));
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
