package io.hypercalld.api.metrics;

import io.hypercalld.api.machine.CallMeter;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.p2m.P2mUpdates;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes snapshots of one machine, cheaply enough to take one after every command. Confined to the
 * machine thread.
 */
/*
 * What a command cannot have changed is not looked at again: nothing at all after one that only
 * reads, a few counters of each unit after DMA, and domains after hypercalls, which are the only
 * things that change them. Devices are looked at after those hypercalls that move devices. Parts
 * that are the same as before are shared between snapshots. What takes longer to find than a few
 * nanoseconds for each domain or device is a Census.
 */
public final class SnapshotTaker {
  private final Machine machine;
  private final List<UnitWatch> unitWatches = new ArrayList<>();
  private final Census<int[]> contextEntries;
  private Map<Domain, DomainWatch> domainWatches = Map.of();
  private List<DomainSample> domains = List.of();
  private List<DeviceSample> devices = List.of();
  private List<CallMeter.Sample> calls = List.of();
  private P2mUpdates p2mUpdates = new P2mUpdates();
  private long callsSeen = -1;
  private long devicesSeen = -1;
  private long revisionSeen = -1;

  /** Domains created and destroyed, together: another number whenever there are others. */
  private long changesSeen = -1;

  private boolean domainsMayLag;
  private boolean domainsChanged;
  private @Nullable MetricsSnapshot last;

  public SnapshotTaker(Machine machine) {
    this(machine, System::nanoTime);
  }

  SnapshotTaker(Machine machine, LongSupplier clock) {
    this.machine = machine;
    for (UnitDriver driver : machine.driver().units()) {
      unitWatches.add(new UnitWatch(machine.units().get(driver.index()), driver, clock));
    }
    this.contextEntries =
        new Census<>(machine.revision().deviceMoves(), () -> presentContexts(machine), clock);
  }

  /** Takes snapshots of the machine that there is, which need not be the one of the last time. */
  public static Function<Machine, MetricsSnapshot> following() {
    return new Function<>() {
      private @Nullable SnapshotTaker taker;

      @Override
      public MetricsSnapshot apply(Machine machine) {
        SnapshotTaker known = taker;
        if (known == null || known.machine != machine) {
          known = new SnapshotTaker(machine);
          taker = known;
        }
        return known.take();
      }
    };
  }

  /** Everything as it is now; the same snapshot again where nothing has been done since. */
  public MetricsSnapshot take() {
    MetricsSnapshot known = last;
    boolean unchanged = machine.revision().changes() == revisionSeen;
    if (known != null && unchanged && (known.complete() || !catchUp())) {
      return known;
    }
    revisionSeen = machine.revision().changes();
    if (machine.hypercalls().meter().calls() != callsSeen) {
      callsSeen = machine.hypercalls().meter().calls();
      calls = List.copyOf(machine.hypercalls().meter().samples());
    }
    // Guests' accesses and events change domains, too, and are no hypercalls.
    followDomains();
    domainsMayLag = true;
    domainsChanged = true;
    if (machine.revision().deviceMoves() != devicesSeen) {
      devicesSeen = machine.revision().deviceMoves();
      lookAtDevices();
    }
    boolean complete = catchUp();
    if (domainsChanged) {
      domainsChanged = false;
      lookAtDomains();
    }
    MetricsSnapshot taken = snapshot(complete);
    last = taken;
    return taken;
  }

  /** Counts what is due for being counted; whether every figure is current now. */
  private boolean catchUp() {
    boolean current = true;
    for (UnitWatch watch : unitWatches) {
      current &= watch.update();
    }
    if (domainsMayLag) {
      boolean domainsCurrent = contextEntries.update(machine.revision().deviceMoves());
      domainsMayLag = !domainsCurrent;
      domainsChanged |= domainsCurrent;
    }
    return current && !domainsMayLag;
  }

  private MetricsSnapshot snapshot(boolean complete) {
    FrameAllocator frames = machine.hypervisor().allocator();
    DomainTable table = machine.hypervisor().domains();
    return new MetricsSnapshot(
        DomainSample.bytes(frames.totalFrames()),
        DomainSample.bytes(frames.freeFrames()),
        table.created(),
        table.destroyed(),
        domains,
        devices,
        lookAtUnits(),
        calls,
        machine.syncs().samples(),
        p2mUpdates,
        machine.hypervisor().guestAccess().faults().samples(),
        Map.of(
            "read", machine.hypervisor().strayDma().reads(),
            "write", machine.hypervisor().strayDma().writes()),
        machine.violationCounts(),
        complete);
  }

  private List<UnitSample> lookAtUnits() {
    List<UnitSample> units = new ArrayList<>(unitWatches.size());
    for (UnitWatch watch : unitWatches) {
      units.add(watch.sample(contextEntries.figure()[units.size()]));
    }
    return List.copyOf(units);
  }

  /** Has each domain watched that there is, in their order, and no other. */
  private void followDomains() {
    DomainTable table = machine.hypervisor().domains();
    if (table.created() + table.destroyed() == changesSeen) {
      return;
    }
    changesSeen = table.created() + table.destroyed();
    Map<Domain, DomainWatch> watches = new LinkedHashMap<>();
    for (Domain domain : table.all()) {
      DomainWatch known = domainWatches.get(domain);
      watches.put(domain, known == null ? watch(domain) : known);
    }
    domainWatches = watches;
  }

  private DomainWatch watch(Domain domain) {
    DomainWatch watch = new DomainWatch(domain);
    watch.devicesMayHaveMoved(machine.driver().devices());
    return watch;
  }

  private void lookAtDomains() {
    List<DomainSample> now = domainWatches.values().stream().map(DomainWatch::sample).toList();
    domains = now.equals(domains) ? domains : now;
    p2mUpdates = machine.hypervisor().p2mCounters().updates();
  }

  /** Most devices are as before, and so are their samples. */
  private void lookAtDevices() {
    Collection<PciDevice> all = machine.driver().devices().all();
    List<DeviceSample> samples = new ArrayList<>(all.size());
    for (PciDevice device : all) {
      int index = samples.size();
      boolean same = index < devices.size() && devices.get(index).holdsFor(device);
      samples.add(same ? devices.get(index) : DeviceSample.of(device));
    }
    devices = List.copyOf(samples);
    unitWatches.forEach(UnitWatch::domainIdsMayHaveChanged);
    for (DomainWatch watch : domainWatches.values()) {
      watch.devicesMayHaveMoved(machine.driver().devices());
    }
  }

  /** Context entries of known devices that are present, by unit. */
  private static int[] presentContexts(Machine machine) {
    List<Set<SourceId>> present = new ArrayList<>();
    machine.units().forEach(_ -> present.add(new HashSet<>()));
    for (PciDevice device : machine.driver().devices().all()) {
      device.unit().ifPresent(unit -> addPresent(machine, device.sbdf(), unit, present));
    }
    return present.stream().mapToInt(Set::size).toArray();
  }

  private static void addPresent(
      Machine machine, Sbdf sbdf, UnitDriver unit, List<Set<SourceId>> present) {
    for (SourceId requester : machine.topology().requesterIds(sbdf)) {
      if (unit.contextEntry(requester).isPresent()) {
        present.get(unit.index()).add(requester);
      }
    }
  }
}
