package io.hypercalld.api.metrics;

import io.hypercalld.api.metrics.UnitSample.CacheSample;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.function.ToLongFunction;

/** The remapping units of a snapshot as metrics. Immutable. */
final class UnitFamilies {
  private final List<UnitSample> units;

  UnitFamilies(List<UnitSample> units) {
    this.units = units;
  }

  List<Family> all() {
    return List.of(
        one(
            Family.gauge("hv_iommu_domain_ids_used", "Domain-ids of a unit that are in use."),
            unit -> unit.domainIds().used()),
        one(
            Family.gauge(
                "hv_iommu_domain_ids_capacity", "Domain-ids of a unit that can be in use at once."),
            unit -> unit.domainIds().capacity()),
        one(
            Family.counter(
                "hv_iommu_domain_id_allocation_failures",
                "Times that no domain-id of a unit was free."),
            unit -> unit.domainIds().failures()),
        one(
            Family.gauge(
                "hv_iommu_context_entries", "Context entries of known devices that are present."),
            UnitSample::contextEntries),
        translations(),
        cacheLookups(),
        cacheEntries(),
        invalidations(),
        invalidationErrors(),
        faults(),
        one(
            Family.counter(
                "hv_iommu_fault_overflows", "Times that a fault found no free record (PFO)."),
            UnitSample::faultOverflows),
        one(
            Family.gauge("hv_iommu_fault_records_pending", "Fault records that wait for software."),
            UnitSample::faultRecordsPending));
  }

  private Family one(Family family, ToLongFunction<UnitSample> value) {
    units.forEach(unit -> family.with(value.applyAsLong(unit), "iommu", index(unit)));
    return family;
  }

  private Family translations() {
    Family family =
        Family.counter(
            "hv_iommu_translations",
            "Requests of devices: translated (ok), blocked (fault), or passed while translation was"
                + " off (untranslated).");
    for (UnitSample unit : units) {
      family.with(unit.translated(), "iommu", index(unit), "result", "ok");
      family.with(unit.blocked(), "iommu", index(unit), "result", "fault");
      family.with(unit.untranslated(), "iommu", index(unit), "result", "untranslated");
    }
    return family;
  }

  private Family cacheLookups() {
    Family family =
        Family.counter("hv_iommu_cache_lookups", "Requests that asked a cache of a unit.");
    for (UnitSample unit : units) {
      addLookups(family, unit, "iotlb", unit.iotlb());
      addLookups(family, unit, "context", unit.contextCache());
    }
    return family;
  }

  private static void addLookups(Family family, UnitSample unit, String name, CacheSample cache) {
    family.with(cache.hits(), "iommu", index(unit), "cache", name, "result", "hit");
    family.with(cache.misses(), "iommu", index(unit), "cache", name, "result", "miss");
  }

  private Family cacheEntries() {
    Family family = Family.gauge("hv_iommu_cache_entries", "What a cache of a unit holds.");
    for (UnitSample unit : units) {
      family.with(unit.iotlb().entries(), "iommu", index(unit), "cache", "iotlb");
      family.with(unit.contextCache().entries(), "iommu", index(unit), "cache", "context");
    }
    return family;
  }

  private Family invalidations() {
    Family family =
        Family.counter(
            "hv_iommu_invalidations", "Invalidations carried out, through queue or registers.");
    for (UnitSample unit : units) {
      for (InvalidationCount kind : unit.invalidations()) {
        family.with(
            kind.count(),
            "iommu",
            index(unit),
            "type",
            kind.type(),
            "granularity",
            kind.granularity());
      }
    }
    return family;
  }

  private Family invalidationErrors() {
    Family family =
        Family.counter(
            "hv_iommu_invalidation_errors", "Times that an error stopped the invalidation queue.");
    units.forEach(unit -> family.with(unit.queueErrors(), "iommu", index(unit), "reason", "iqe"));
    return family;
  }

  private Family faults() {
    Family family =
        Family.counter("hv_iommu_faults", "Requests blocked, by fault reason, recorded or not.");
    for (UnitSample unit : units) {
      unit.faults().forEach((reason, count) -> addFaults(family, unit, reason, count));
    }
    return family;
  }

  private static void addFaults(Family family, UnitSample unit, FaultReason reason, long count) {
    long reads = unit.readFaults().getOrDefault(reason, 0L);
    switch (reason.kind()) {
      case DMA -> {
        addFaults(family, unit, "dma_read", reason, reads);
        addFaults(family, unit, "dma_write", reason, count - reads);
      }
      case INTERRUPT -> addFaults(family, unit, "intremap", reason, count);
    }
  }

  private static void addFaults(
      Family family, UnitSample unit, String type, FaultReason reason, long count) {
    if (count > 0) {
      family.with(
          count,
          "iommu",
          index(unit),
          "type",
          type,
          "reason",
          "0x" + Integer.toHexString(reason.code()));
    }
  }

  private static String index(UnitSample unit) {
    return Integer.toString(unit.index());
  }
}
