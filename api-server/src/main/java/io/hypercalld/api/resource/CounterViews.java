package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.dma.StrayDma;
import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.kernel.GuestKernel;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.p2m.P2mCounters;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitCounters;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.ioreq.dispatch.DomainIo;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.ToLongBiFunction;
import java.util.function.ToLongFunction;

/** Counters as they are told; what does not apply is left out. Immutable. */
final class CounterViews {
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
        .ifPresent(
            p2m -> counters.put("p2m", p2mMembers(p2m.counters(), p2m.tables(), p2m.tableBytes())));
    domain
        .findFacet(DomainIommu.class)
        .flatMap(DomainIommu::tableCounters)
        .ifPresent(tables -> counters.put("iommu", tableMembers(List.of(tables))));
    counters.put("flushes", flushes(domain));
    counters.put("strayDma", strayMembers(domain.facet(DomainDma.class).stray()));
    domain.findFacet(DomainIo.class).ifPresent(io -> putRequests(counters, io));
    counters.putAll(callMembers(domain.calls()));
    domain
        .facet(GuestKernel.class)
        .running()
        .flatMap(RunningKernel::bounces)
        .ifPresent(pool -> putBounces(counters, pool));
    return counters;
  }

  /** What the kernel bounced. */
  private static void putBounces(Map<String, Object> counters, SoftwareIotlb pool) {
    counters.put("bounces", pool.counters().bounces());
    counters.put("bytesBounced", pool.counters().bytesBounced());
    counters.put("bounceHighWater", pool.highWater());
  }

  /** Requests by server, and what nobody got. */
  private static void putRequests(Map<String, Object> counters, DomainIo io) {
    Map<String, Long> byServer = new TreeMap<>();
    io.counters()
        .sent()
        .forEach((key, count) -> byServer.merge(Integer.toString(key.server()), count, Long::sum));
    counters.put("ioreqs", byServer);
    counters.put("lostWrites", io.counters().lostWrites());
    counters.put("lostBytes", io.counters().lostBytes());
    io.lastLost().ifPresent(write -> counters.put("lastLostWrite", write));
  }

  private static Map<String, Object> interrupts(List<UnitCounters> units) {
    Map<String, Object> interrupts = new LinkedHashMap<>();
    interrupts.put("delivered", sum(units, UnitCounters::interruptsDelivered));
    interrupts.put("posted", sum(units, UnitCounters::interruptsPosted));
    interrupts.put("notifications", sum(units, UnitCounters::interruptNotifications));
    interrupts.put("events", sum(units, UnitCounters::eventMessages));
    interrupts.put("entryHits", sum(units, UnitCounters::interruptEntryHits));
    interrupts.put("entryMisses", sum(units, UnitCounters::interruptEntryMisses));
    return interrupts;
  }

  private static long sum(List<UnitCounters> units, ToLongFunction<UnitCounters> counter) {
    return units.stream().mapToLong(counter).sum();
  }

  private static Map<String, Object> flushes(Domain domain) {
    Map<String, Object> flushes = new LinkedHashMap<>();
    domain
        .findFacet(DomainIommu.class)
        .map(DomainIommu::flushes)
        .ifPresent(
            own -> {
              flushes.put("domain", own.domain());
              flushes.put("page", own.page());
              flushes.put("changes", own.changes());
            });
    domain
        .findFacet(DomainIommu.class)
        .ifPresent(iommu -> flushes.put("waiting", iommu.flushing().waiting()));
    domain.findP2m().ifPresent(p2m -> flushes.put("ept", p2m.counters().flushes()));
    return flushes;
  }

  /** What the machine as a whole has done. */
  static Map<String, Object> of(Machine machine) {
    Map<String, Object> counters = new LinkedHashMap<>();
    List<Domain> domains = machine.hypervisor().domains().all();
    P2mCounters all = machine.hypervisor().p2mCounters();
    List<P2mTable> p2ms = domains.stream().flatMap(one -> one.findP2m().stream()).toList();
    long tables = p2ms.stream().mapToLong(P2mTable::tables).sum();
    long bytes = p2ms.stream().mapToLong(P2mTable::tableBytes).sum();
    counters.put("p2m", p2mMembers(all, tables, bytes));
    counters.put(
        "iommu",
        tableMembers(
            domains.stream()
                .flatMap(domain -> domain.findFacet(DomainIommu.class).stream())
                .flatMap(iommu -> iommu.tableCounters().stream())
                .toList()));
    List<UnitCounters> units = machine.units().stream().map(RemappingUnit::counters).toList();
    counters.putAll(ofUnits(units));
    Map<String, Object> flushes = flushes(units);
    flushes.put("ept", machine.hypervisor().p2mCounters().flushes());
    counters.put("flushes", flushes);
    counters.put("strayDma", strayMembers(machine.hypervisor().strayDma()));
    counters.putAll(callMembers(machine.hypervisor().calls()));
    return counters;
  }

  private static Map<String, Object> p2mMembers(P2mCounters p2m, long tables, long bytes) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("tables", tables);
    members.put("tableBytes", bytes);
    members.put("entryReads", p2m.entryReads());
    members.put("entryWrites", p2m.entryWrites());
    members.put("splits", p2m.splits());
    members.put("recalculations", p2m.recalculations());
    members.put("tlbInserts", p2m.tlbInserts());
    members.put("bypasses", p2m.bypasses());
    return members;
  }

  private static Map<String, Object> tableMembers(List<TableCounters> all) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("tables", all.stream().mapToLong(TableCounters::tables).sum());
    members.put("tableBytes", all.stream().mapToLong(TableCounters::tableBytes).sum());
    members.put("entryReads", all.stream().mapToLong(TableCounters::entryReads).sum());
    members.put("entryWrites", all.stream().mapToLong(TableCounters::entryWrites).sum());
    members.put("tableLinks", all.stream().mapToLong(TableCounters::links).sum());
    members.put("splits", all.stream().mapToLong(TableCounters::splits).sum());
    members.put("coalesces", all.stream().mapToLong(TableCounters::coalesces).sum());
    return members;
  }

  /** Frames that devices reached and that were none of their domains'. */
  private static Map<String, Long> strayMembers(StrayDma stray) {
    Map<String, Long> members = new LinkedHashMap<>();
    members.put("reads", stray.reads());
    members.put("writes", stray.writes());
    return members;
  }

  private static Map<String, Object> callMembers(CallCounters calls) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("hypercalls", calls.hypercalls());
    members.put("traps", calls.traps());
    members.put("continuations", calls.continuations());
    members.put("longestStep", calls.longestStep());
    return members;
  }

  private static Map<String, Object> ofUnits(List<UnitCounters> units) {
    Map<String, Object> counters = new LinkedHashMap<>();
    counters.put("flushes", flushes(units));
    Map<String, Object> cache = new LinkedHashMap<>();
    cache.put("iotlbHits", units.stream().mapToLong(UnitCounters::iotlbHits).sum());
    cache.put("iotlbMisses", units.stream().mapToLong(UnitCounters::iotlbMisses).sum());
    cache.put("contextHits", units.stream().mapToLong(UnitCounters::contextHits).sum());
    cache.put("contextMisses", units.stream().mapToLong(UnitCounters::contextMisses).sum());
    cache.put("pasidHits", sum(units, UnitCounters::pasidHits));
    cache.put("pasidMisses", sum(units, UnitCounters::pasidMisses));
    counters.put("cache", cache);
    counters.put("interrupts", interrupts(units));
    counters.put("walkReads", units.stream().mapToLong(UnitCounters::entryReads).sum());
    counters.put("faults", faults(units));
    return counters;
  }

  private static Map<String, Object> flushes(List<UnitCounters> units) {
    Map<String, Object> flushes = new LinkedHashMap<>();
    flushes.put("global", iotlb(units, InvalidationGranularity.GLOBAL));
    flushes.put("domain", iotlb(units, InvalidationGranularity.DOMAIN));
    flushes.put("page", iotlb(units, InvalidationGranularity.SELECTIVE));
    flushes.put("device", context(units, InvalidationGranularity.SELECTIVE));
    flushes.put("context", sumOfAll(units, UnitCounters::contextInvalidations));
    flushes.put("interruptEntries", sum(units, UnitCounters::interruptInvalidations));
    flushes.put("deviceTlb", sum(units, UnitCounters::deviceTlbInvalidations));
    flushes.put("pasid", sumOfAll(units, UnitCounters::pasidInvalidations));
    flushes.put("pasidIotlb", sumOfAll(units, UnitCounters::pasidIotlbInvalidations));
    return flushes;
  }

  private static long iotlb(List<UnitCounters> units, InvalidationGranularity granularity) {
    return units.stream().mapToLong(unit -> unit.iotlbInvalidations(granularity)).sum();
  }

  private static long sumOfAll(
      List<UnitCounters> units,
      ToLongBiFunction<UnitCounters, InvalidationGranularity> invalidations) {
    return sum(
        units,
        unit ->
            Arrays.stream(InvalidationGranularity.values())
                .mapToLong(each -> invalidations.applyAsLong(unit, each))
                .sum());
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
