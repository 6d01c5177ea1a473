package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Counters as they are told; what does not apply is left out. Immutable. */
final class CounterViews {
  private static final int TABLE_BYTES = 4096;

  private CounterViews() {}

  /** What one unit has done. */
  static Map<String, Object> of(UnitCounters unit) {
    return ofUnits(List.of(unit));
  }

  /** What a domain has cost. */
  static Map<String, Object> of(Domain domain) {
    Map<String, Object> counters = new LinkedHashMap<>();
    domain
        .findP2m()
        .ifPresent(p2m -> counters.put("p2m", p2mMembers(p2m.counters(), p2m.tables())));
    domain
        .findFacet(DomainIommu.class)
        .flatMap(DomainIommu::tableCounters)
        .ifPresent(tables -> counters.put("iommu", tableMembers(List.of(tables))));
    counters.putAll(callMembers(domain.calls()));
    return counters;
  }

  /** What the machine as a whole has done. */
  static Map<String, Object> of(Machine machine) {
    Map<String, Object> counters = new LinkedHashMap<>();
    List<Domain> domains = machine.hypervisor().domains().all();
    long tables =
        domains.stream()
            .flatMap(domain -> domain.findP2m().stream())
            .mapToLong(P2mTable::tables)
            .sum();
    counters.put("p2m", p2mMembers(machine.hypervisor().p2mCounters(), tables));
    counters.put(
        "iommu",
        tableMembers(
            domains.stream()
                .flatMap(domain -> domain.findFacet(DomainIommu.class).stream())
                .flatMap(iommu -> iommu.tableCounters().stream())
                .toList()));
    counters.putAll(ofUnits(machine.units().stream().map(RemappingUnit::counters).toList()));
    counters.putAll(callMembers(machine.hypervisor().calls()));
    return counters;
  }

  private static Map<String, Object> p2mMembers(P2mCounters p2m, long tables) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("tables", tables);
    members.put("tableBytes", tables * TABLE_BYTES);
    members.put("entryReads", p2m.entryReads());
    members.put("entryWrites", p2m.entryWrites());
    members.put("splits", p2m.splits());
    members.put("recalculations", p2m.recalculations());
    return members;
  }

  private static Map<String, Object> tableMembers(List<TableCounters> all) {
    long tables = all.stream().mapToLong(TableCounters::tables).sum();
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("tables", tables);
    members.put("tableBytes", tables * TABLE_BYTES);
    members.put("entryReads", all.stream().mapToLong(TableCounters::entryReads).sum());
    members.put("entryWrites", all.stream().mapToLong(TableCounters::entryWrites).sum());
    members.put("splits", all.stream().mapToLong(TableCounters::splits).sum());
    return members;
  }

  private static Map<String, Object> callMembers(CallCounters calls) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("hypercalls", calls.hypercalls());
    members.put("continuations", calls.continuations());
    members.put("longestStep", calls.longestStep());
    return members;
  }

  private static Map<String, Object> ofUnits(List<UnitCounters> units) {
    Map<String, Object> flushes = new LinkedHashMap<>();
    flushes.put("global", iotlb(units, InvalidationGranularity.GLOBAL));
    flushes.put("domain", iotlb(units, InvalidationGranularity.DOMAIN));
    flushes.put("page", iotlb(units, InvalidationGranularity.SELECTIVE));
    flushes.put("device", context(units, InvalidationGranularity.SELECTIVE));
    flushes.put(
        "context",
        context(units, InvalidationGranularity.GLOBAL)
            + context(units, InvalidationGranularity.DOMAIN)
            + context(units, InvalidationGranularity.SELECTIVE));
    Map<String, Object> cache = new LinkedHashMap<>();
    cache.put("iotlbHits", units.stream().mapToLong(UnitCounters::iotlbHits).sum());
    cache.put("iotlbMisses", units.stream().mapToLong(UnitCounters::iotlbMisses).sum());
    cache.put("contextHits", units.stream().mapToLong(UnitCounters::contextHits).sum());
    cache.put("contextMisses", units.stream().mapToLong(UnitCounters::contextMisses).sum());
    Map<String, Object> counters = new LinkedHashMap<>();
    counters.put("flushes", flushes);
    counters.put("cache", cache);
    counters.put("walkReads", units.stream().mapToLong(UnitCounters::entryReads).sum());
    counters.put("faults", faults(units));
    return counters;
  }

  private static long iotlb(List<UnitCounters> units, InvalidationGranularity granularity) {
    return units.stream().mapToLong(unit -> unit.iotlbInvalidations(granularity)).sum();
  }

  private static long context(List<UnitCounters> units, InvalidationGranularity granularity) {
    return units.stream().mapToLong(unit -> unit.contextInvalidations(granularity)).sum();
  }

  private static Map<String, Object> faults(List<UnitCounters> units) {
    Map<String, Object> faults = new LinkedHashMap<>();
    units.forEach(
        unit ->
            unit.faults()
                .forEach(
                    (reason, count) ->
                        faults.merge(
                            "0x" + Integer.toHexString(reason.code()),
                            count,
                            (one, other) ->
                                (Long) Objects.requireNonNull(one)
                                    + (Long) Objects.requireNonNull(other))));
    return faults;
  }
}
