package io.hypercalld.api.experiment;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Guests that have a virtual function on each of several units. Confined. */
final class PlacementTrial {
  private final Bench bench;
  private final int spread;
  private final List<Deque<Sbdf>> left;

  private PlacementTrial(Bench bench, int spread) {
    this.bench = bench;
    this.spread = spread;
    this.left =
        IntStream.range(0, bench.units().size())
            .<Deque<Sbdf>>mapToObj(unit -> new ArrayDeque<>(bench.virtualFunctions(unit)))
            .toList();
  }

  static DomainIdAnswer.Placement run(String platform, int spread) {
    return new DomainIdAnswer.Placement(
        spread, guests(platform, spread, false), guests(platform, spread, true));
  }

  private static long guests(String platform, int spread, boolean balanced) {
    try (Bench bench = new Bench(platform, DriverPolicies.usual())) {
      return new PlacementTrial(bench, spread).place(balanced);
    }
  }

  private long place(boolean balanced) {
    long guests = 0;
    for (List<Integer> units = choose(balanced); units.size() == spread; units = choose(balanced)) {
      Domain guest = bench.guest();
      units.forEach(unit -> bench.give(guest, left.get(unit).pop()));
      guests++;
    }
    return guests;
  }

  /** Units for the next guest; fewer than wanted where no more have room. */
  private List<Integer> choose(boolean balanced) {
    Stream<Integer> open = IntStream.range(0, left.size()).boxed().filter(unit -> room(unit) > 0);
    return (balanced ? open.sorted(Comparator.comparing(unit -> -room(unit))) : open)
        .limit(spread)
        .toList();
  }

  private int room(int unit) {
    var ids = bench.unit(unit).domainIds();
    return Math.min(ids.capacity() - ids.used(), left.get(unit).size());
  }
}
