package io.hypercalld.api.machine;

import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.audit.IommuAudit;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.fault.FaultHandler;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.virtual.VirtualIommus;
import io.hypercalld.ioreq.DeviceModels;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A whole machine: its memory, its devices and remapping units, and the hypervisor on it. Confined
 * to the machine thread.
 *
 * <p>The only class that sees every module. What it does depends on the platform and on the
 * commands that it has executed, and on nothing else.
 */
public final class Machine implements AutoCloseable {
  private final Assembly parts;
  private final Revision revision = new Revision();
  private final Journal journal = new Journal();
  private final Hypercalls hypercalls;
  private final FaultRules faultRules = new FaultRules(this);
  private final DmaVerdicts dmaVerdicts;
  private final Map<String, Long> violationCounts = new TreeMap<>();

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
    this.parts = Assembly.of(platform, policies);
    this.hypercalls = new Hypercalls(parts, revision, journal, faultRules);
    this.dmaVerdicts = new DmaVerdicts(this);
    deviceModels().cpus().loseAnswers(faultRules::losesReply);
  }

  /** Makes a hypercall on behalf of a domain, however many steps it takes. */
  public Outcome call(DomainId caller, Hypercall arguments) {
    return hypercalls.call(caller, arguments);
  }

  /**
   * Carries out a change that is not one hypercall.
   *
   * @throws Refusal with nothing changed
   */
  public <R> R execute(MachineCommand<R> command) {
    revision.changed();
    journal.begin(new Journal.Executed(command));
    try {
      return driver().asOneCall(() -> command.execute(this));
    } finally {
      journal.end();
    }
  }

  /** What should hold between all parts whenever no command is under way, and does not. */
  public List<Violation> violations() {
    List<Violation> violations =
        new IommuAudit(
                hypervisor(),
                driver(),
                new IommuAudit.Hardware(topology(), units(), interrupts().machine()))
            .violations();
    virtualIommus().violations().forEach(shadow -> violations.add(new Violation("V1", shadow)));
    violations.forEach(violation -> violationCounts.merge(violation.invariant(), 1L, Long::sum));
    revision.changed();
    return violations;
  }

  /** Violations found so far, by invariant. */
  public Map<String, Long> violationCounts() {
    return Map.copyOf(violationCounts);
  }

  /** The digest of everything that a later command can depend on. */
  public String digest() {
    StateDigest digest = new StateDigest();
    digest
        .put(hypervisor())
        .put(topology())
        .put(driver())
        .put(interrupts())
        .put(faults())
        .put(virtualIommus())
        .put(hypercalls.pending())
        .put(faultRules);
    units().forEach(digest::put);
    return digest.finish();
  }

  /** How hypercalls are made. */
  public Hypercalls hypercalls() {
    return hypercalls;
  }

  public HypercallCatalogue catalogue() {
    return hypercalls.catalogue();
  }

  /** How often it has changed. */
  public Revision revision() {
    return revision;
  }

  /** What it has executed. */
  public Journal journal() {
    return journal;
  }

  /** What goes wrong on purpose. */
  public FaultRules faultRules() {
    return faultRules;
  }

  /** Somebody who reads and writes its memory from outside. */
  public MemoryProbe memoryProbe() {
    return new MemoryProbe(hypervisor().memory());
  }

  /**
   * The unit of an index.
   *
   * @throws Refusal ENODEV
   */
  public RemappingUnit unit(int iommu) {
    if (iommu < 0 || iommu >= units().size()) {
      throw Refusal.of(Errno.ENODEV, "there is no iommu %d", iommu);
    }
    return units().get(iommu);
  }

  /** The units in the order of their indexes. */
  public List<RemappingUnit> units() {
    return parts.units();
  }

  public Platform platform() {
    return parts.platform();
  }

  public Hypervisor hypervisor() {
    return parts.hypervisor();
  }

  public PciTopology topology() {
    return parts.topology();
  }

  public UnitScopes scopes() {
    return parts.scopes();
  }

  public VtdDriver driver() {
    return parts.driver();
  }

  /**
   * A function as it issues requests.
   *
   * @throws Refusal ENODEV there is none
   */
  public DmaRequester requester(Sbdf sbdf) {
    return new DmaRequester(
        sbdf.sourceId(),
        scopes().unitOf(sbdf).stream().mapToObj(this::unit).findFirst(),
        topology().require(sbdf).busMaster());
  }

  public RootComplex rootComplex() {
    return parts.rootComplex();
  }

  /** Ioreq servers, and the instructions that go to them. */
  public DeviceModels deviceModels() {
    return parts.deviceModels();
  }

  /** The machine's interrupts, and whose they are. */
  public Interrupts interrupts() {
    return parts.interrupts();
  }

  /** How long shadows took to be brought into step. */
  public SyncMeter syncs() {
    return parts.syncs();
  }

  /** The remapping units that guests see. */
  public VirtualIommus virtualIommus() {
    return parts.virtualIommus();
  }

  /** Whose frames devices reach. */
  public DmaVerdicts dmaVerdicts() {
    return dmaVerdicts;
  }

  /** What became of faults. */
  public FaultHandler faults() {
    return parts.faults();
  }

  @Override
  public void close() {
    hypervisor().close();
  }
}
