package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.ResetCounters;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One page after the other is unmapped of a guest on one, two, three, four units. Confined. */
final class FlushTrial {
  private FlushTrial() {}

  static List<DomainIdAnswer.Flush> run(DomainIdQuestion question, DriverPolicies policies) {
    try (Bench bench = new Bench(question.platform(), policies)) {
      addNeighbours(bench, question.neighbours());
      Domain guest = bench.guest();
      List<DomainIdAnswer.Flush> costs = new ArrayList<>();
      for (int unit = 0; unit < bench.units().size(); unit++) {
        bench.give(guest, bench.virtualFunctions(unit).get(question.neighbours()));
        bench.machine().execute(new ResetCounters());
        long scans = scans(bench);
        unmap(bench, guest, unit);
        costs.add(
            new DomainIdAnswer.Flush(
                policies.domainIds(),
                policies.profile(),
                unit + 1,
                commands(bench),
                scans(bench) - scans));
      }
      return costs;
    }
  }

  /** Guests that have a function of each card, and so lower ids than the one that is watched. */
  private static void addNeighbours(Bench bench, int neighbours) {
    for (int i = 0; i < neighbours; i++) {
      Domain neighbour = bench.guest();
      for (int unit = 0; unit < bench.units().size(); unit++) {
        bench.give(neighbour, bench.virtualFunctions(unit).get(i));
      }
    }
  }

  private static void unmap(Bench bench, Domain guest, int page) {
    bench.call(
        new DecreaseReservation(
            guest.id(), GuestFrames.of(new Gfn(page)), Optional.empty(), 0, new Word(0), 0));
  }

  private static long commands(Bench bench) {
    return bench.machine().units().stream()
        .map(unit -> unit.counters())
        .mapToLong(
            unit ->
                unit.iotlbInvalidations(InvalidationGranularity.SELECTIVE)
                    + unit.iotlbInvalidations(InvalidationGranularity.DOMAIN))
        .sum();
  }

  private static long scans(Bench bench) {
    return bench.units().stream().mapToLong(unit -> unit.domainIds().scans()).sum();
  }
}
