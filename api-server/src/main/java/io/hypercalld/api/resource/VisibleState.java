package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What can be seen of a machine: domains and what they map, devices, tables and registers of units,
 * ioreq servers; each under the path where it is to be found. Immutable.
 */
record VisibleState(Map<String, Object> resources) {
  /**
   * One difference between two states.
   *
   * @param resource its path; of an item of a list, followed by what tells it from the others
   * @param before empty where it was not there
   * @param after empty where it is no longer there
   */
  record Change(String resource, Optional<Object> before, Optional<Object> after) {}

  /** What was not there. */
  static Change made(String resource, Object after) {
    return new Change(resource, Optional.empty(), Optional.of(after));
  }

  /** What will not be there. */
  static Change gone(String resource, Object before) {
    return new Change(resource, Optional.of(before), Optional.empty());
  }

  static VisibleState of(Machine machine) {
    Map<String, Object> resources = new TreeMap<>();
    for (Domain domain : machine.hypervisor().domains().all()) {
      String path = "/v1/domains/" + domain.id().value();
      resources.put(path, DomainView.of(machine, domain));
      domain.findP2m().ifPresent(p2m -> putRuns(resources, path + "/p2m/", p2m));
      IoServerRoutes.views(domain)
          .forEach(server -> resources.put(path + "/ioreq-servers/" + server.id(), server));
    }
    for (PciDevice device : machine.driver().devices().all()) {
      resources.put("/v1/devices/" + device.function().sbdf(), DeviceView.of(machine, device));
    }
    machine.driver().units().forEach(unit -> put(resources, machine, unit));
    return new VisibleState(resources);
  }

  private static void putRuns(Map<String, Object> resources, String path, P2mTable p2m) {
    Optional<P2mRun> run = p2m.nextRun(new Gfn(0));
    while (run.isPresent()) {
      resources.put(path + run.get().gfn(), P2mRoutes.view(run.get()));
      run = p2m.nextRun(P2mRoutes.end(run.get()));
    }
  }

  private static void put(Map<String, Object> resources, Machine machine, UnitDriver unit) {
    String path = "/v1/iommus/" + unit.index();
    put(
        resources,
        path + "/registers/",
        UnitListings.registers(machine, unit),
        UnitListings.RegisterView::name);
    put(
        resources,
        path + "/domain-ids/",
        UnitListings.domainIds(machine, unit),
        UnitListings.DomainIdView::domainId);
    put(
        resources,
        path + "/context-entries/",
        UnitListings.contextEntries(machine, unit),
        UnitListings.ContextView::sourceId);
  }

  private static <T> void put(
      Map<String, Object> resources, String path, List<T> items, Function<T, Object> key) {
    items.forEach(item -> resources.put(path + key.apply(item), item));
  }

  /** What is different in a later state, in the order of paths. */
  List<Change> changesTo(VisibleState later) {
    TreeSet<String> paths = new TreeSet<>(resources.keySet());
    paths.addAll(later.resources.keySet());
    List<Change> changes = new ArrayList<>();
    for (String path : paths) {
      Object before = resources.get(path);
      Object after = later.resources.get(path);
      if (!Objects.equals(before, after)) {
        changes.add(new Change(path, Optional.ofNullable(before), Optional.ofNullable(after)));
      }
    }
    return changes;
  }
}
