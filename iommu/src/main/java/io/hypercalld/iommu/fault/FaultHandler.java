package io.hypercalld.iommu.fault;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.FaultRegisters;
import io.hypercalld.iommu.driver.IommuNotice;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/**
 * The handler of units' fault events: one event has every unit read out, whichever sent it. A unit
 * whose event somebody masked or pointed elsewhere is left alone. Confined to the machine thread.
 */
public final class FaultHandler implements Digestible {
  /** Faults that are kept. */
  public static final int CAPACITY = 1024;

  /** Nanoseconds from one request of a device to the next: too many for a storm. */
  public static final long USUAL_PACE = 20_000_000;

  private static final List<Condition> CONDITIONS =
      List.of(
          new Condition(FaultStatus.PFO.mask(), "Fault Overflow"),
          new Condition(FaultStatus.IQE.mask(), "Invalidation Queue Error"),
          new Condition(FaultStatus.ICE.mask(), "Invalidation Completion Error"),
          new Condition(FaultStatus.ITE.mask(), "Invalidation Time-out Error"));

  private record Condition(long mask, String words) {}

  private final Hypervisor hypervisor;
  private final VtdDriver driver;
  private final PciTopology topology;
  private final ToIntFunction<UnitDriver> segments;
  private final Deque<LoggedFault> log = new ArrayDeque<>();
  private final Map<DomainId, Long> byDomain = new HashMap<>();
  private final Map<Sbdf, Long> byDevice = new HashMap<>();
  private long pace = USUAL_PACE;
  private long requests;
  private long handled;
  private boolean handling;
  private Consumer<LoggedFault> listener = _ -> {};

  /**
   * @param segments the PCI segment of each unit
   */
  public FaultHandler(
      Hypervisor hypervisor,
      VtdDriver driver,
      PciTopology topology,
      ToIntFunction<UnitDriver> segments) {
    this.hypervisor = hypervisor;
    this.driver = driver;
    this.topology = topology;
    this.segments = segments;
  }

  /** Has somebody told of each fault from now on. */
  public void tell(Consumer<LoggedFault> whom) {
    listener = whom;
  }

  /** A fault event arrived. */
  public void faultEvent() {
    if (handling) {
      return;
    }
    handling = true;
    try {
      driver.units().stream().filter(unit -> unit.faults().isHeard()).forEach(this::readOut);
    } finally {
      handling = false;
    }
  }

  private void readOut(UnitDriver unit) {
    long conditions = unit.faults().conditions();
    CONDITIONS.stream()
        .filter(condition -> (conditions & condition.mask) != 0)
        .forEach(condition -> print("[VT-D]iommu_fault_status: " + condition.words));
    if ((conditions & FaultStatus.PFO.mask()) != 0) {
      hypervisor.notices().tell(IommuNotice.FAULT_OVERFLOW, new IommuNotice.Overflow(unit.index()));
    }
    unit.faults().drain().forEach(taken -> handle(unit, taken));
  }

  private void handle(UnitDriver unit, FaultRegisters.Taken taken) {
    handled++;
    Sbdf sbdf = taken.record().sourceId().in(segments.applyAsInt(unit));
    long now = now();
    LoggedFault fault =
        new LoggedFault(handled, now, unit.index(), sbdf, ownerOf(unit, sbdf), taken);
    keep(fault);
    listener.accept(fault);
    tell(unit, fault);
    FaultWords.lines(unit.index(), sbdf, taken.record()).forEach(this::print);
    boolean storm =
        driver.devices().find(sbdf).filter(device -> device.faultRate().count(now)).isPresent();
    if (storm) {
      topology.setBusMaster(sbdf, false);
    }
  }

  private void tell(UnitDriver unit, LoggedFault fault) {
    FaultRecord record = fault.taken().record();
    ContextEntry entry = unit.contextEntry(record.sourceId());
    hypervisor
        .notices()
        .tell(
            IommuNotice.FAULT,
            new IommuNotice.Fault(
                fault.iommu(),
                fault.sbdf(),
                new Word(record.iova()),
                record.isRead() ? IommuNotice.Access.R : IommuNotice.Access.W,
                String.format(Locale.ROOT, "0x%02x", record.reasonCode()),
                record.reason().map(FaultReason::text).orElse("Unknown"),
                fault.domain(),
                entry.isPresent() ? Optional.of(entry.domainId()) : Optional.empty()));
  }

  /**
   * The machine's clock stands still between commands, so what devices do takes time of its own.
   */
  private long now() {
    return hypervisor.clock().now() + requests;
  }

  /** A device begins a request. */
  public void deviceActs() {
    requests += pace;
  }

  /** Nanoseconds from one request of a device to the next. */
  public long pace() {
    return pace;
  }

  /** Has devices' requests follow each other faster or slower from now on; not negative. */
  public void setPace(long nanoseconds) {
    pace = nanoseconds;
  }

  private void keep(LoggedFault fault) {
    if (log.size() == CAPACITY) {
      log.removeFirst();
    }
    log.addLast(fault);
    byDevice.merge(fault.sbdf(), 1L, Long::sum);
    fault.domain().ifPresent(domain -> byDomain.merge(domain, 1L, Long::sum));
  }

  /** By the record of who owns the device, or by the domain-id where it is only an alias of one. */
  private Optional<DomainId> ownerOf(UnitDriver unit, Sbdf sbdf) {
    Optional<DomainId> owner = driver.devices().find(sbdf).map(PciDevice::owner);
    ContextEntry entry = unit.contextEntry(sbdf.sourceId());
    return owner.isPresent() || !entry.isPresent()
        ? owner
        : unit.ownerOf(entry.domainId()).map(tag -> tag.isOrdinary() ? tag : DomainId.IO);
  }

  private void print(String line) {
    hypervisor.console().print(line);
  }

  /** The last faults of a unit, oldest first. */
  public List<LoggedFault> faultsOf(int iommu) {
    return log.stream().filter(fault -> fault.iommu() == iommu).toList();
  }

  /** Faults of a domain's devices while they were its. */
  public long faultsOf(DomainId domain) {
    return byDomain.getOrDefault(domain, 0L);
  }

  /** Faults of a requester. */
  public long faultsOf(Sbdf sbdf) {
    return byDevice.getOrDefault(sbdf, 0L);
  }

  /** The log is for people: no command depends on it. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("fault-handler").put(handled).put(pace).put(requests);
  }
}
