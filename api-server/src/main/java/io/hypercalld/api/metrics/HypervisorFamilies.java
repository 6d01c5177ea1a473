package io.hypercalld.api.metrics;

import io.hypercalld.api.rest.HostedMachine;
import io.hypercalld.core.guest.FaultCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** Everything that begins with {@code hv_}, each time from one snapshot. Immutable. */
final class HypervisorFamilies {
  /** Those that are always checked, so that a zero is told, too. */
  private static final List<String> INVARIANTS = List.of("I1", "I2", "I3", "I4", "I5", "I6", "I8");

  private final String version;

  HypervisorFamilies(String version) {
    this.version = version;
  }

  List<Family> collect(HostedMachine hosted) {
    MetricsSnapshot machine = hosted.view(MetricsSnapshot.class);
    List<Family> families = new ArrayList<>();
    families.add(
        Family.info("hv_build", "What is running.")
            .with(1, "version", version, "java_version", Runtime.version().toString()));
    families.addAll(new MachineFamilies(machine).all());
    families.addAll(new ModelFamilies(machine).all());
    families.addAll(new ViommuFamilies(machine).all());
    families.addAll(new UnitFamilies(machine.units()).all());
    families.addAll(new CallFamilies(machine.calls()).all());
    families.add(
        Family.gauge("hv_commands_in_flight", "Commands that wait or are being executed.")
            .with(hosted.thread().inFlight()));
    families.addAll(new EventFamilies(hosted.events()).all());
    families.add(faults(machine));
    families.add(strays(machine));
    families.add(violations(machine));
    families.add(droppedSeries(families, hosted.seriesDropped()));
    return families;
  }

  private static Family faults(MetricsSnapshot machine) {
    Family family =
        Family.counter(
            "hv_p2m_faults", "Accesses of guests that their P2M entry did not let through.");
    for (FaultCounts.Sample fault : machine.faults()) {
      String access = fault.kind().name().toLowerCase(Locale.ROOT);
      family.with(fault.count(), "type", fault.type().toString(), "access", access);
    }
    return family;
  }

  private static Family strays(MetricsSnapshot machine) {
    Family family =
        Family.counter(
            "hv_dma_stray_frames", "Frames that devices reached and that were not their domains'.");
    new TreeMap<>(machine.strays()).forEach((type, count) -> family.with(count, "type", type));
    return family;
  }

  private static Family violations(MetricsSnapshot machine) {
    Family family =
        Family.counter("hv_invariant_violations", "Broken invariants that checks have found.");
    Map<String, Long> counts = new TreeMap<>(machine.violations());
    INVARIANTS.forEach(invariant -> counts.putIfAbsent(invariant, 0L));
    counts.forEach((invariant, count) -> family.with(count, "invariant", invariant));
    return family;
  }

  private static Family droppedSeries(List<Family> families, AtomicLong dropped) {
    long now = families.stream().mapToLong(Family::dropped).sum();
    return Family.counter(
            "hv_metrics_series_dropped",
            "Series left out of expositions, as only %d domains and %d devices have their own."
                .formatted(Family.MOST_OBJECTS, Family.MOST_OBJECTS))
        .with(dropped.addAndGet(now));
  }
}
