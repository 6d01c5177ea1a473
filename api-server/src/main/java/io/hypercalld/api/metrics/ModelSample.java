package io.hypercalld.api.metrics;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.dispatch.IoCounters;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.IoServers;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Device models of one domain. Immutable.
 *
 * @param pending requests without an answer, by server
 * @param lostWrites that neither memory nor a server got
 */
record ModelSample(
    Map<Integer, Integer> pending,
    Map<IoCounters.Sent, Long> sent,
    Map<RequestType, Long> unclaimed,
    Map<RequestType, Long> timeouts,
    Map<Integer, Long> overflows,
    long lostWrites) {
  private static final ModelSample NONE =
      new ModelSample(Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), 0);

  /** Of a domain; empty for one that can have none. */
  static Optional<ModelSample> of(Domain domain) {
    return domain.findFacet(DomainIo.class).map(io -> of(domain, io));
  }

  private static ModelSample of(Domain domain, DomainIo io) {
    IoServers servers = domain.facet(IoServers.class);
    IoCounters counters = io.counters();
    if (servers.all().isEmpty()
        && counters.sent().isEmpty()
        && counters.unclaimed().isEmpty()
        && counters.lostWrites() == 0) {
      return NONE;
    }
    Map<Integer, Integer> pending = new TreeMap<>();
    for (IoServer server : servers.all()) {
      pending.put(server.id(), io.pending(server.id()).size());
    }
    return new ModelSample(
        Map.copyOf(pending),
        Map.copyOf(counters.sent()),
        Map.copyOf(counters.unclaimed()),
        Map.copyOf(counters.timeouts()),
        Map.copyOf(counters.overflows()),
        counters.lostWrites());
  }
}
