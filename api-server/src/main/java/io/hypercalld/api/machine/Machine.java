package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.DeviceModelTable;
import io.hypercalld.api.hypercall.DomctlTable;
import io.hypercalld.api.hypercall.EventTable;
import io.hypercalld.api.hypercall.FeatureTables;
import io.hypercalld.api.hypercall.GrantTableRows;
import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.hypercall.InterruptTable;
import io.hypercalld.api.hypercall.MemoryTable;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.hypercall.OtherTables;
import io.hypercalld.api.hypercall.PageTableRows;
import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.audit.IommuAudit;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.driver.DomainIommu;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.InterruptRemapping;
import io.hypercalld.iommu.driver.RemappingHardware;
import io.hypercalld.iommu.driver.TableCounters;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.fault.FaultHandler;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.hypercall.InterruptCalls;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.interrupt.IoApicSource;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.platform.PlatformUnit;
import io.hypercalld.iommu.unit.MessageSink;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.dispatch.DomainIo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A whole machine: its memory, its devices and remapping units, and the hypervisor on it. Confined
 * to the machine thread.
 *
 * <p>The only class that sees every module. What it does depends on the platform and on the
 * commands that it has executed, and on nothing else.
 */
public final class Machine implements AutoCloseable {
  private static final int UNIT_VERSION = 0x10;
  private static final int DOM0_VCPUS = 4;

  private final Platform platform;
  private final Hypervisor hypervisor;
  private final List<RemappingUnit> units;
  private final PciTopology topology;
  private final UnitScopes scopes;
  private final DeviceModels deviceModels;
  private final VtdDriver driver;
  private final RootComplex rootComplex;
  private final Interrupts interrupts;
  private final FaultHandler faults;
  private final DeviceCalls deviceCalls;
  private final HypercallCatalogue catalogue;
  private final CallMeter meter;
  private final PendingCalls pending = new PendingCalls();
  private final FaultRules faultRules = new FaultRules(this);
  private final Map<String, Long> violationCounts = new TreeMap<>();
  private long revision;
  private long deviceRevision;

  /**
   * Boots the hypervisor on a platform, with dom0 running and translation on.
   *
   * @throws io.hypercalld.core.errno.Refusal where the platform cannot carry it
   */
  public Machine(Platform platform) {
    this(platform, DriverPolicies.usual());
  }

  /** As {@link #Machine(Platform)}, with other choices than Xen's. */
  public Machine(Platform platform, DriverPolicies policies) {
    this.platform = platform;
    this.hypervisor =
        new Hypervisor(
            new HypervisorSettings(
                platform.memoryMap(),
                platform.memory().dom0Bytes(),
                DOM0_VCPUS,
                !platform.units().isEmpty(),
                canSnoop(platform),
                platform.hostAddressWidth()));
    Processors processors = new Processors(platform.interrupts().processors());
    this.units = assemble(platform, hypervisor, processors::deliver);
    this.topology = platform.topology();
    this.scopes = platform.unitScopes(topology);
    this.driver =
        new VtdDriver(
            hypervisor,
            new RemappingHardware(
                List.copyOf(units), topology, scopes, platform.reservedRegions(), permit(platform)),
            policies);
    this.rootComplex = new RootComplex(hypervisor.memory(), processors::deliver);
    this.interrupts =
        new Interrupts(hypervisor, driver, topology, processors, ioApics(platform, scopes));
    this.faults =
        new FaultHandler(
            hypervisor, driver, topology, unit -> platform.units().get(unit.index()).segment());
    interrupts.onFaultEvent(faults::faultEvent);
    this.deviceCalls = new DeviceCalls(hypervisor, driver, topology);
    this.deviceModels = new DeviceModels(hypervisor);
    this.catalogue =
        catalogue(
            hypervisor,
            deviceCalls,
            deviceModels,
            new InterruptCalls(hypervisor.domains(), interrupts));
    this.meter = new CallMeter(catalogue);
    hypervisor.bootDom0();
    driver.start();
  }

  private static InterruptRemapping.Permit permit(Platform platform) {
    return new InterruptRemapping.Permit(
        platform.interrupts().remapping(), platform.interrupts().x2apic());
  }

  private static List<IoApicSource> ioApics(Platform platform, UnitScopes scopes) {
    List<IoApicSource> sources = new ArrayList<>();
    for (int iommu = 0; iommu < platform.units().size(); iommu++) {
      Drhd unit = platform.units().get(iommu).definition();
      for (DeviceScope scope : unit.scopes()) {
        if (scope.type() == DeviceScope.Type.IOAPIC) {
          Optional<Sbdf> requester = scopes.resolve(unit.segment(), scope);
          int place = iommu;
          requester.ifPresent(
              sbdf -> sources.add(new IoApicSource(place, scope.enumerationId(), sbdf.sourceId())));
        }
      }
    }
    return sources;
  }

  private static boolean canSnoop(Platform platform) {
    return platform.units().stream()
        .allMatch(unit -> new Capabilities(unit.cap(), unit.ecap()).snoopControl());
  }

  private static List<RemappingUnit> assemble(
      Platform platform, Hypervisor hypervisor, MessageSink interrupts) {
    List<RemappingUnit> units = new ArrayList<>();
    for (PlatformUnit unit : platform.units()) {
      UnitSettings settings =
          new UnitSettings(
              UNIT_VERSION,
              new Capabilities(unit.cap(), unit.ecap()),
              platform.hostAddressWidth(),
              Math.toIntExact(unit.windowBytes()),
              UnitSettings.CacheSizes.LARGE);
      units.add(new RemappingUnit(settings, hypervisor.memory(), interrupts));
    }
    return List.copyOf(units);
  }

  private static HypercallCatalogue catalogue(
      Hypervisor hypervisor, DeviceCalls devices, DeviceModels models, InterruptCalls interrupts) {
    var tables = new ArrayList<List<Operation<?>>>();
    tables.add(DomctlTable.of(hypervisor, devices));
    tables.add(MemoryTable.of(hypervisor.memoryCalls()));
    tables.add(FeatureTables.memory(hypervisor.featureCalls()));
    tables.add(FeatureTables.domctl(hypervisor.featureCalls()));
    tables.add(FeatureTables.hvm(hypervisor.featureCalls()));
    tables.add(GrantTableRows.of(hypervisor.grantCalls()));
    tables.add(EventTable.of(hypervisor.eventCalls()));
    tables.add(PageTableRows.of(hypervisor.pinCalls()));
    tables.add(OtherTables.physdev(devices));
    tables.add(InterruptTable.domctl(interrupts));
    tables.add(InterruptTable.physdev(interrupts));
    tables.add(DeviceModelTable.of(hypervisor.controlCalls(), models));
    tables.addAll(OtherTables.unbuilt());
    return new HypercallCatalogue(tables);
  }

  /** How far a hypercall came. */
  public sealed interface Progress {}

  /** It ended. */
  public record Ended(Outcome outcome) implements Progress {}

  /** It was preempted and goes on with {@link Machine#resume}. */
  public record Stopped(PendingCalls.Pending call) implements Progress {}

  /** Makes a hypercall on behalf of a domain, however many steps it takes. */
  public Outcome call(DomainId caller, Hypercall arguments) {
    Outcome outcome = begin(caller, arguments);
    while (outcome instanceof Outcome.Preempted stopped) {
      outcome = proceed(caller, stopped);
    }
    return outcome;
  }

  /** Makes a hypercall on behalf of a domain, as far as it comes before it is preempted. */
  public Progress start(DomainId caller, Hypercall arguments) {
    Outcome outcome = begin(caller, arguments);
    return outcome instanceof Outcome.Preempted stopped
        ? new Stopped(pending.add(caller, stopped))
        : new Ended(outcome);
  }

  /**
   * Lets a preempted hypercall go on, as far as it comes.
   *
   * @throws Refusal ENOENT no call of that number is pending
   */
  public Progress resume(long number) {
    PendingCalls.Pending call = pending.get(number);
    Outcome outcome = proceed(call.caller(), call.stopped());
    if (outcome instanceof Outcome.Preempted stopped) {
      pending.replace(call, stopped);
      return new Stopped(pending.get(number));
    }
    pending.remove(call);
    return new Ended(outcome);
  }

  private Outcome begin(DomainId caller, Hypercall arguments) {
    Operation<?> operation = catalogue.of(arguments);
    hypervisor.domains().find(caller).ifPresent(domain -> domain.calls().countHypercall());
    return measured(operation, () -> operation.execute(caller, arguments));
  }

  private Outcome proceed(DomainId caller, Outcome.Preempted stopped) {
    Operation<?> operation = catalogue.of(stopped.rest());
    return timed(operation, () -> operation.execute(caller, stopped.rest())).after(stopped);
  }

  /** Counts and times what is done in the name of an operation. */
  Outcome measured(Operation<?> operation, Supplier<Outcome> execution) {
    hypervisor.calls().countHypercall();
    return timed(operation, execution);
  }

  private Outcome timed(Operation<?> operation, Supplier<Outcome> execution) {
    revision++;
    long continued = hypervisor.calls().continuations();
    long began = System.nanoTime();
    Outcome outcome = execution.get();
    meter.count(
        operation,
        outcome,
        System.nanoTime() - began,
        hypervisor.calls().continuations() - continued);
    if (operation.movesDevices()) {
      deviceRevision++;
    }
    return outcome;
  }

  /**
   * Carries out a change that is not one hypercall.
   *
   * @throws Refusal with nothing changed
   */
  public <R> R execute(MachineCommand<R> command) {
    revision++;
    return command.execute(this);
  }

  /**
   * Bytes of machine memory.
   *
   * @throws Refusal EFAULT where any of them is not RAM
   */
  public byte[] readMemory(long maddr, int length) {
    requireRam(maddr, length);
    byte[] bytes = new byte[length];
    hypervisor.memory().read(maddr, bytes, 0, length);
    return bytes;
  }

  void requireRam(long maddr, int length) {
    if (!hypervisor.memory().isRam(maddr, length)) {
      throw Refusal.of(
          Errno.EFAULT, "0x%x and the %d bytes from there on are not all RAM", maddr, length);
    }
  }

  /**
   * The value of a unit's register.
   *
   * @param size bytes: 4 or 8
   * @throws Refusal EINVAL where there is no such register
   */
  public Word readRegister(int iommu, Word offset, int size) {
    int at = requireRegister(iommu, offset, size);
    return new Word(
        size == Integer.BYTES
            ? Integer.toUnsignedLong(unit(iommu).read32(at))
            : unit(iommu).read64(at));
  }

  int requireRegister(int iommu, Word offset, int size) {
    int window = unit(iommu).settings().windowBytes();
    if (size != Integer.BYTES && size != Long.BYTES) {
      throw Refusal.of(Errno.EINVAL, "registers are accessed by 4 or 8 bytes, not by %d", size);
    }
    long at = offset.value();
    if (at < 0 || at > window - size || at % size != 0) {
      throw Refusal.of(
          Errno.EINVAL, "%s is not an offset of %d aligned bytes below 0x%x", offset, size, window);
    }
    return (int) at;
  }

  /**
   * The unit of an index.
   *
   * @throws Refusal ENODEV
   */
  public RemappingUnit unit(int iommu) {
    if (iommu < 0 || iommu >= units.size()) {
      throw Refusal.of(Errno.ENODEV, "there is no iommu %d", iommu);
    }
    return units.get(iommu);
  }

  /** Sets all counters to zero. */
  public void resetCounters() {
    revision++;
    units.forEach(unit -> unit.counters().reset());
    hypervisor.domains().departed().reset();
    hypervisor.calls().reset();
    hypervisor.domains().all().forEach(this::resetCounters);
  }

  /** Sets a domain's counters to zero. */
  public void resetCounters(Domain domain) {
    domain.calls().reset();
    domain.findP2m().ifPresent(p2m -> p2m.counters().reset());
    domain.findFacet(DomainIo.class).ifPresent(io -> io.counters().reset());
    domain
        .findFacet(DomainIommu.class)
        .ifPresent(
            iommu -> {
              iommu.flushes().reset();
              iommu.tableCounters().ifPresent(TableCounters::reset);
            });
  }

  /** What should hold between all parts whenever no command is under way, and does not. */
  public List<Violation> violations() {
    List<Violation> violations =
        new IommuAudit(
                hypervisor, driver, new IommuAudit.Hardware(topology, units, interrupts.machine()))
            .violations();
    violations.forEach(violation -> violationCounts.merge(violation.invariant(), 1L, Long::sum));
    revision++;
    return violations;
  }

  /** Violations found so far, by invariant. */
  public Map<String, Long> violationCounts() {
    return Map.copyOf(violationCounts);
  }

  /** Grows with everything that may have changed the machine or its counters. */
  public long revision() {
    return revision;
  }

  /** Grows with everything that may have changed who owns which device. */
  public long deviceRevision() {
    return deviceRevision;
  }

  /** The digest of everything that a later command can depend on. */
  public String digest() {
    StateDigest digest = new StateDigest();
    digest
        .put(hypervisor)
        .put(topology)
        .put(driver)
        .put(interrupts)
        .put(faults)
        .put(pending)
        .put(faultRules);
    units.forEach(digest::put);
    return digest.finish();
  }

  public Platform platform() {
    return platform;
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  /** The units in the order of their indexes. */
  public List<RemappingUnit> units() {
    return units;
  }

  public PciTopology topology() {
    return topology;
  }

  public UnitScopes scopes() {
    return scopes;
  }

  public VtdDriver driver() {
    return driver;
  }

  public RootComplex rootComplex() {
    return rootComplex;
  }

  /** Ioreq servers, and the instructions that go to them. */
  public DeviceModels deviceModels() {
    return deviceModels;
  }

  /** The machine's interrupts, and whose they are. */
  public Interrupts interrupts() {
    return interrupts;
  }

  /** What became of faults. */
  public FaultHandler faults() {
    return faults;
  }

  public DeviceCalls deviceCalls() {
    return deviceCalls;
  }

  public HypercallCatalogue catalogue() {
    return catalogue;
  }

  /** Hypercalls that were preempted. */
  public PendingCalls pending() {
    return pending;
  }

  /** What goes wrong on purpose. */
  public FaultRules faultRules() {
    return faultRules;
  }

  /** Hypercalls made, by operation and result. */
  public CallMeter meter() {
    return meter;
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
