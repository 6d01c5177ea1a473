package io.hypercalld.api.metrics;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Device models of a snapshot as metrics. Immutable. */
final class ModelFamilies {
  private final MetricsSnapshot machine;

  ModelFamilies(MetricsSnapshot machine) {
    this.machine = machine;
  }

  List<Family> all() {
    return List.of(
        of(
            Family.gauge("hv_ioreq_servers", "Ioreq servers of a domain."),
            (family, domain) ->
                family.withObject(domain.rank, domain.models.pending().size(), "domid", domain.id)),
        of(
            Family.gauge("hv_ioreq_pending", "Requests that a server has not answered."),
            (family, domain) -> each(family, domain, "server", ModelSample::pending)),
        of(
            Family.counter("hv_ioreq_requests", "Requests sent to a server."),
            ModelFamilies::addSent),
        of(
            Family.counter("hv_ioreq_unclaimed", "Accesses for which there was no server."),
            (family, domain) -> each(family, domain, "type", ModelSample::unclaimed)),
        of(
            Family.counter("hv_ioreq_timeouts", "Requests that were not answered in time."),
            (family, domain) -> each(family, domain, "type", ModelSample::timeouts)),
        of(
            Family.counter(
                "hv_ioreq_lost_writes", "Guests' writes that neither memory nor a server got."),
            (family, domain) ->
                family.withObject(domain.rank, domain.models.lostWrites(), "domid", domain.id)),
        of(
            Family.counter(
                "hv_ioreq_buffered_overflows", "Requests that did not fit a server's ring."),
            (family, domain) -> each(family, domain, "server", ModelSample::overflows)));
  }

  /** A domain's device models, and which of the domains it is. */
  private record Entry(int rank, String id, ModelSample models) {}

  /** Adds what there is of one domain. */
  private interface Addition {
    void add(Family family, Entry domain);
  }

  private Family of(Family family, Addition addition) {
    int rank = 0;
    for (DomainSample domain : machine.domains()) {
      if (domain.models().isPresent()) {
        addition.add(
            family, new Entry(rank, Integer.toString(domain.domid()), domain.models().get()));
      }
      rank++;
    }
    return family;
  }

  private static <K extends Comparable<K>, V extends Number> void each(
      Family family, Entry domain, String label, Function<ModelSample, Map<K, V>> figures) {
    new TreeMap<>(figures.apply(domain.models))
        .forEach(
            (key, value) ->
                family.withObject(
                    domain.rank, value.longValue(), "domid", domain.id, label, key.toString()));
  }

  private static void addSent(Family family, Entry domain) {
    new TreeMap<>(domain.models.sent())
        .forEach(
            (key, value) ->
                family.withObject(
                    domain.rank,
                    value,
                    "domid",
                    domain.id,
                    "server",
                    Integer.toString(key.server()),
                    "type",
                    key.type().toString(),
                    "dir",
                    key.reads() ? "read" : "write"));
  }
}
