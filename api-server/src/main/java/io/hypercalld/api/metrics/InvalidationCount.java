package io.hypercalld.api.metrics;

import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How often a unit carried out one kind of invalidation. Immutable. */
record InvalidationCount(String type, String granularity, long count) {
  private static final List<InvalidationGranularity> GRANULARITIES =
      List.of(
          InvalidationGranularity.GLOBAL,
          InvalidationGranularity.DOMAIN,
          InvalidationGranularity.SELECTIVE);

  /** Of a unit; only kinds that occurred. */
  static List<InvalidationCount> of(UnitCounters counters) {
    List<InvalidationCount> kinds = new ArrayList<>();
    for (InvalidationGranularity granularity : GRANULARITIES) {
      String name = granularity.name().toLowerCase(Locale.ROOT);
      boolean selective = granularity == InvalidationGranularity.SELECTIVE;
      String page = selective ? "page" : name;
      note(
          kinds,
          "context",
          selective ? "device" : name,
          counters.contextInvalidations(granularity));
      note(kinds, "iotlb", page, counters.iotlbInvalidations(granularity));
      note(kinds, "pasid", selective ? "pasid" : name, counters.pasidInvalidations(granularity));
      note(kinds, "pasid_iotlb", page, counters.pasidIotlbInvalidations(granularity));
    }
    note(kinds, "dev_iotlb", "device", counters.deviceTlbInvalidations());
    note(kinds, "iec", "none", counters.interruptInvalidations());
    note(kinds, "wait", "none", counters.waits());
    return List.copyOf(kinds);
  }

  /** Another number whenever any of them has occurred again. */
  static long sum(UnitCounters counters) {
    long sum =
        counters.deviceTlbInvalidations() + counters.interruptInvalidations() + counters.waits();
    for (InvalidationGranularity granularity : GRANULARITIES) {
      sum +=
          counters.contextInvalidations(granularity)
              + counters.iotlbInvalidations(granularity)
              + counters.pasidInvalidations(granularity)
              + counters.pasidIotlbInvalidations(granularity);
    }
    return sum;
  }

  private static void note(
      List<InvalidationCount> kinds, String type, String granularity, long count) {
    if (count > 0) {
      kinds.add(new InvalidationCount(type, granularity, count));
    }
  }
}
