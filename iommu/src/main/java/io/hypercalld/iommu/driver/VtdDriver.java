package io.hypercalld.iommu.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainFacet;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The VT-d driver of the hypervisor as a whole. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, vtd_setup and intel_iommu_hwdom_init"
 */
public final class VtdDriver implements Digestible {
  private final Hypervisor hypervisor;
  private final RemappingHardware hardware;
  private final List<UnitDriver> units;
  private final LeafFormat leafFormat;
  private final DeviceTable devices = new DeviceTable();
  private final DeviceAssignment assignment;
  private final Quarantine quarantine;
  private final DeviceInventory inventory;

  /**
   * Brings up every unit, short of translating, and has each domain created from now on given its
   * IOMMU side. To be followed by dom0's creation and {@link #start}.
   *
   * @throws io.hypercalld.core.errno.Refusal ENODEV a unit cannot be driven; ENOMEM
   */
  public VtdDriver(Hypervisor hypervisor, RemappingHardware hardware, Quarantine.Mode mode) {
    this.hypervisor = hypervisor;
    this.hardware = hardware;
    this.units = bringUp(hypervisor, hardware);
    this.leafFormat = commonLeafFormat(units);
    this.quarantine = new Quarantine(mode, this);
    this.assignment = new DeviceAssignment(this, hardware.topology(), quarantine);
    this.inventory = new DeviceInventory(this, hardware.topology());
    hypervisor.domains().addFacet(this::facetFor);
  }

  private static List<UnitDriver> bringUp(Hypervisor hypervisor, RemappingHardware hardware) {
    List<UnitDriver> units = new ArrayList<>();
    for (int index = 0; index < hardware.units().size(); index++) {
      units.add(
          new UnitDriver(
              index, hardware.units().get(index), hypervisor.memory(), hypervisor.allocator()));
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
    hardware.reservedRegions().forEach(this::provideToHardwareDomain);
    hardware.topology().all().forEach(function -> inventory.add(function.sbdf()));
    units.forEach(UnitDriver::enableTranslation);
  }

  /** What RAM the hardware domain has in a reserved region makes way for the region itself. */
  private void provideToHardwareDomain(ReservedRegion region) {
    P2mTable p2m = hypervisor.domains().byId(DomainId.DOM0).p2m();
    long first = region.base() >>> PageSize.SHIFT_4K;
    Gfn[] inTheWay =
        LongStream.range(first, first + region.pages())
            .mapToObj(Gfn::new)
            .filter(gfn -> p2m.lookup(gfn).type() == P2mType.RAM_RW)
            .toArray(Gfn[]::new);
    DecreaseReservation makeWay =
        new DecreaseReservation(
            DomainId.DOM0, GuestFrames.of(inTheWay), Optional.empty(), 0, new Word(0));
    hypervisor.memoryCalls().decreaseReservation(DomainId.DOM0, makeWay);
    Transaction.run(
        steps -> {
          iommuOf(DomainId.DOM0).reservedRegions().acquire(steps, region, true);
          return region;
        });
  }

  private Optional<DomainFacet> facetFor(Domain domain) {
    if (!domain.hasIommu()) {
      return Optional.empty();
    }
    boolean shared =
        !domain.id().equals(DomainId.DOM0) && mayShare(domain) && whyNotShared().isEmpty();
    DomainIommu iommu =
        new DomainIommu(
            domain, this, shared ? Optional.empty() : Optional.of(newTable(domain.id())));
    domain.p2m().observe(iommu);
    return Optional.of(iommu);
  }

  private static boolean mayShare(Domain domain) {
    boolean optedOut = (domain.settings().iommuOpts() & DomainSettings.IOMMU_NO_SHAREPT) != 0;
    return domain.hasHap() && !optedOut;
  }

  /** Why no domain's devices can go through its P2M; empty where they can. */
  public Optional<String> whyNotShared() {
    return units.stream()
        .flatMap(
            unit ->
                Arrays.stream(PageSize.values())
                    .filter(size -> !unit.capabilities().supports(size))
                    .map(
                        size ->
                            "iommu "
                                + unit.index()
                                + " has no leaves of "
                                + size.bytes()
                                + " bytes"))
        .findFirst();
  }

  DmaTable newTable(DomainId owner) {
    return new DmaTable(hypervisor.memory(), hypervisor.allocator(), owner.value(), leafFormat);
  }

  void freeFrame(Mfn mfn) {
    hypervisor.allocator().free(mfn.value());
  }

  MachineMemory memory() {
    return hypervisor.memory();
  }

  /** The units in the order of the DMAR table. */
  public List<UnitDriver> units() {
    return units;
  }

  public DeviceTable devices() {
    return devices;
  }

  public DeviceAssignment assignment() {
    return assignment;
  }

  public DeviceInventory inventory() {
    return inventory;
  }

  /** The IOMMU side of a domain that has one. */
  DomainIommu iommuOf(DomainId domain) {
    return hypervisor.domains().find(domain).orElseThrow().facet(DomainIommu.class);
  }

  Optional<UnitDriver> unitOf(Sbdf sbdf) {
    return hardware.scopes().unitOf(sbdf).stream().mapToObj(units::get).findFirst();
  }

  /** The regions that the device must always reach. */
  public List<ReservedRegion> reservedRegionsOf(Sbdf sbdf) {
    return hardware.reservedRegions().stream()
        .filter(region -> region.devices().contains(sbdf))
        .toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("vtd-driver").put(devices).put(quarantine);
    units.forEach(digest::put);
  }
}
