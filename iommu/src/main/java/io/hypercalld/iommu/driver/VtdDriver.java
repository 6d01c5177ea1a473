package io.hypercalld.iommu.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.notice.Notices;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.vtd.AddressWidth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The VT-d driver of the hypervisor as a whole. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, vtd_setup and intel_iommu_hwdom_init"
 */
public final class VtdDriver implements Digestible {
  private final Hypervisor hypervisor;
  private final RemappingHardware hardware;
  private final List<UnitDriver> units;
  private final InterruptRemapping interruptRemapping;
  private final LeafFormat leafFormat;
  private final TableSharing sharing;
  private DriverPolicies policies;
  private final DeviceRegions regions;
  private final TreeMap<DomainId, DomainFlushes> unflushed = new TreeMap<>();
  private final DeviceTable devices = new DeviceTable();
  private boolean deviceTlbsAllowed;
  private final DeviceContexts contexts;
  private final DeviceAssignment assignment;
  private final Quarantine quarantine;
  private final DeviceInventory inventory;
  private final IoContexts ioContexts = new IoContexts(this);
  private final AddressModes addressModes = new AddressModes(this);

  /**
   * Brings up every unit, short of translating, and has each domain created from now on given its
   * IOMMU side. To be followed by dom0's creation and {@link #start}.
   *
   * @throws io.hypercalld.core.errno.Refusal ENODEV a unit cannot be driven; ENOMEM
   */
  public VtdDriver(Hypervisor hypervisor, RemappingHardware hardware, DriverPolicies policies) {
    this.hypervisor = hypervisor;
    this.hardware = hardware;
    this.policies = policies;
    this.units = find(hypervisor, hardware, policies);
    this.interruptRemapping = InterruptRemapping.possible(units, hardware.permit());
    bringUp();
    this.leafFormat = commonLeafFormat(units);
    this.sharing = new TableSharing(units);
    this.regions = new DeviceRegions(this, hypervisor, hardware.reservedRegions());
    this.quarantine = new Quarantine(policies.quarantine(), this);
    this.contexts = new DeviceContexts(this, hardware.topology(), quarantine);
    this.assignment = new DeviceAssignment(this, contexts, quarantine);
    this.inventory = new DeviceInventory(this, hardware.topology());
    hypervisor.domains().addFacet(this::facetFor);
    hypervisor.domains().addFacet(this::contextsFor);
    hypervisor.memoryCalls().reservedBy(new ReservedRanges(hardware.reservedRegions()));
  }

  /**
   * Interrupts before memory, as Xen does: a table that blocks all is in place before any opens.
   */
  private void bringUp() {
    if (interruptRemapping.on()) {
      units.forEach(unit -> unit.remapInterrupts(interruptRemapping.extended()));
    }
    units.forEach(UnitDriver::setRoot);
  }

  private static List<UnitDriver> find(
      Hypervisor hypervisor, RemappingHardware hardware, DriverPolicies policies) {
    List<DomainIds> spaces =
        policies
            .domainIds()
            .ofUnits(
                hardware.units().stream().map(UnitDriver::capabilitiesOf).toList(),
                policies.profile());
    List<UnitDriver> units = new ArrayList<>();
    for (int index = 0; index < hardware.units().size(); index++) {
      units.add(
          new UnitDriver(
              index,
              hardware.units().get(index),
              hypervisor.memory(),
              hypervisor.allocator(),
              spaces.get(index)));
    }
    return List.copyOf(units);
  }

  /** A feature is used only where every unit has it, since any device may move to any domain. */
  private static LeafFormat commonLeafFormat(List<UnitDriver> units) {
    Set<PageSize> sizes =
        Arrays.stream(PageSize.values())
            .filter(size -> units.stream().allMatch(unit -> unit.capabilities().supports(size)))
            .collect(Collectors.toUnmodifiableSet());
    boolean snoop = units.stream().allMatch(unit -> unit.capabilities().snoopControl());
    return new LeafFormat(sizes, snoop);
  }

  /**
   * Gives every device, and the memory that devices must always reach, to the hardware domain, and
   * turns translation on.
   *
   * @throws io.hypercalld.core.errno.Refusal EBUSY, ENOMEM where a device cannot be mapped
   */
  public void start() {
    regions.provideToHardwareDomain();
    hardware.topology().all().forEach(inventory::discover);
    units.forEach(UnitDriver::enableTranslation);
  }

  private Optional<DomainFacet> facetFor(Domain domain) {
    if (!domain.settings().hasIommu()) {
      return Optional.empty();
    }
    DomainIommu iommu = new DomainIommu(domain, this, DmaPolicy.usual());
    domain.findP2m().ifPresent(p2m -> p2m.announcements().observe(iommu));
    return Optional.of(iommu);
  }

  private Optional<DomainFacet> contextsFor(Domain domain) {
    if (domain.findP2m().isEmpty() || domain.findFacet(DomainIommu.class).isEmpty()) {
      return Optional.empty();
    }
    GuestContexts contexts = new GuestContexts(domain, this, hypervisor.domains());
    domain.p2m().announcements().follow(contexts);
    return Optional.of(contexts);
  }

  /** Whether domains' devices can go through their P2Ms. */
  public TableSharing sharing() {
    return sharing;
  }

  /**
   * An empty table, three levels deep if every unit can walk so few.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM
   */
  DmaTable newTable(DomainId owner, DmaPolicy policy) {
    boolean shallow =
        units.stream().allMatch(unit -> unit.capabilities().supports(AddressWidth.BITS_39));
    return newTable(owner, policy, shallow ? AddressWidth.BITS_39.levels() : DmaTable.MOST_LEVELS);
  }

  /** An empty table of so many levels. */
  DmaTable newTable(DomainId owner, DmaPolicy policy, int levels) {
    return new DmaTable(
        hypervisor.memory(),
        new TableFrames(hypervisor.allocator(), owner.value(), policy.tableFrames()),
        leafFormat.within(policy.leafSizes()),
        levels);
  }

  /** What happens, for whoever watches. */
  Notices notices() {
    return hypervisor.notices();
  }

  void freeFrames(FrameRun frames) {
    hypervisor.allocator().free(frames.mfn(), frames.count());
  }

  FrameAllocator allocator() {
    return hypervisor.allocator();
  }

  DeviceContexts contexts() {
    return contexts;
  }

  AtsControl ats() {
    return hardware.ats();
  }

  MachineMemory memory() {
    return hypervisor.memory();
  }

  FrameTable frames() {
    return hypervisor.frames();
  }

  /** The first frame number above all RAM. */
  long endOfFrames() {
    return hypervisor.memory().map().highTop() >>> PageSize.SHIFT_4K;
  }

  /** Which Xen the driver is. */
  public Profile profile() {
    return policies.profile();
  }

  /** How domain-ids are chosen. */
  public DomainIdPolicy domainIdPolicy() {
    return policies.domainIds();
  }

  /**
   * Has the driver work in another way: as another Xen, whose refusals are that Xen's from now on
   * and whose new domains miss what that one missed; with domain-ids that are chosen otherwise, and
   * another quarantine; and with domains from now on that have units told of changes at other
   * times.
   *
   * @throws Refusal EBUSY domain-ids or quarantine are to change while a device is a guest's or in
   *     quarantine; EBUSY, EFAULT there are too few domain-ids. Nothing changed
   */
  public void choose(DriverPolicies wanted) {
    new PolicyChange(this, policies, wanted).carryOut(quarantine);
    policies = wanted;
  }

  /** What is chosen now. */
  public DriverPolicies policies() {
    return policies;
  }

  /** Crashes a guest that can go on being one no more; no effect on one that is going already. */
  void crash(DomainId guest, String reason) {
    hypervisor
        .domains()
        .find(guest)
        .filter(domain -> !domain.isDying())
        .ifPresent(domain -> domain.crash(reason));
  }

  /** Nanoseconds since power-on. */
  long now() {
    return hypervisor.clock().now();
  }

  /** Changes of a domain wait for units to be told of them. */
  void awaitFlush(DomainId domain, DomainFlushes changes) {
    unflushed.put(domain, changes);
  }

  void flushed(DomainId domain) {
    unflushed.remove(domain);
  }

  /** Does what a hypercall, a step of one, or another command does: its flushes may wait for it. */
  public <R> R asOneCall(Supplier<R> call) {
    try {
      return call.get();
    } finally {
      if (!unflushed.isEmpty()) {
        List.copyOf(unflushed.values()).forEach(DomainFlushes::endOfCall);
      }
    }
  }

  /** Whether devices that change hands from now on may use ATS: Xen's option {@code ats}. */
  public boolean deviceTlbsAllowed() {
    return deviceTlbsAllowed;
  }

  /** Lets devices that change hands from now on use ATS, behind units that can. */
  public void allowDeviceTlbs(boolean allowed) {
    deviceTlbsAllowed = allowed;
    units.forEach(unit -> unit.entries().allowDeviceTlbs(allowed));
  }

  /** Whether interrupts are remapped. */
  public InterruptRemapping interruptRemapping() {
    return interruptRemapping;
  }

  /** The units in the order of the DMAR table. */
  public List<UnitDriver> units() {
    return units;
  }

  public DeviceTable devices() {
    return devices;
  }

  /** The tables that devices go through instead of their owners' own. */
  public IoContexts ioContexts() {
    return ioContexts;
  }

  /** What domains tell their devices as addresses. */
  public AddressModes addressModes() {
    return addressModes;
  }

  public DeviceAssignment assignment() {
    return assignment;
  }

  public DeviceInventory inventory() {
    return inventory;
  }

  /** The IOMMU side of a domain that has one. */
  public DomainIommu iommuOf(DomainId domain) {
    return hypervisor.domains().find(domain).orElseThrow().facet(DomainIommu.class);
  }

  /** Why no device may be given to a domain; empty where one may. */
  Optional<String> vetoOf(DomainId domain) {
    return hypervisor.domains().byId(domain).deviceVeto();
  }

  Optional<UnitDriver> unitOf(Sbdf sbdf) {
    return hardware.scopes().unitOf(sbdf).stream().mapToObj(units::get).findFirst();
  }

  /** The regions that the device must always reach. */
  public List<ReservedRegion> reservedRegionsOf(Sbdf sbdf) {
    return regions.of(sbdf);
  }

  /** The memory that devices must always reach. */
  public DeviceRegions regions() {
    return regions;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .section("vtd-driver")
        .put(policies().toString())
        .put(regions)
        .put(devices)
        .put(quarantine)
        .put(ioContexts);
    units.forEach(digest::put);
  }
}
