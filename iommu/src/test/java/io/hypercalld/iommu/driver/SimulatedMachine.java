package io.hypercalld.iommu.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.NewDomain;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.audit.IommuAudit;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeassignDevice;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.interrupt.Chipset;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SriovCapability;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * A small machine: a NIC with 24 virtual functions behind unit A, which distinguishes 16 domains,
 * and behind unit B, which includes all the rest, an NVMe, a USB controller with a reserved region,
 * a conventional sound card and modem behind a PCIe-to-PCI bridge, and the chipset.
 */
public final class SimulatedMachine implements AutoCloseable {
  public static final Sbdf NIC = Sbdf.parse("03:00.0");
  static final Sbdf NVME = Sbdf.parse("04:00.0");
  static final Sbdf USB = Sbdf.parse("00:14.0");
  static final Sbdf SOUND = Sbdf.parse("06:01.0");
  static final Sbdf MODEM = Sbdf.parse("06:02.0");
  static final Sbdf BRIDGE = Sbdf.parse("05:00.0");
  static final Sbdf HOST_BRIDGE = Sbdf.parse("00:00.0");
  static final ReservedRegion USB_REGION =
      new ReservedRegion(0x7b80_0000L, 0x7b80_3fffL, List.of(USB));

  private static final long SMALL_UNIT = capabilities(0);
  private static final long LARGE_UNIT = capabilities(2);
  private static final long ECAP =
      ExtendedCapabilityFields.C.of(1)
          | ExtendedCapabilityFields.QI.of(1)
          | ExtendedCapabilityFields.DT.of(1)
          | ExtendedCapabilityFields.IR.of(1)
          | ExtendedCapabilityFields.EIM.of(1)
          | ExtendedCapabilityFields.PT.of(1)
          | ExtendedCapabilityFields.SC.of(1)
          | ExtendedCapabilityFields.IRO.of(0x50);
  private static final int GUEST_FLAGS = 0x23;
  private static final long LOW_TOP = 0x8000_0000L;

  public final Hypervisor hypervisor;
  final PciTopology topology;
  public final List<RemappingUnit> units = new ArrayList<>();
  public final VtdDriver driver;
  final DeviceCalls calls;
  final Interrupts interrupts;
  private final Processors processors = new Processors(4);
  private final RootComplex rootComplex;

  /** Runs before each store to a register: between two steps of the driver. */
  Runnable betweenSteps = () -> {};

  /** A unit's registers, and whoever wants to do something whenever they are written. */
  private record WatchedRegisters(RemappingUnit unit, SimulatedMachine machine) implements Mmio {
    @Override
    public int read32(int offset) {
      return unit.read32(offset);
    }

    @Override
    public void write32(int offset, int value) {
      machine.betweenSteps.run();
      unit.write32(offset, value);
    }

    @Override
    public long read64(int offset) {
      return unit.read64(offset);
    }

    @Override
    public void write64(int offset, long value) {
      machine.betweenSteps.run();
      unit.write64(offset, value);
    }
  }

  private static final long SCALABLE_ECAP =
      ECAP
          | ExtendedCapabilityFields.SMTS.of(1)
          | ExtendedCapabilityFields.SLTS.of(1)
          | ExtendedCapabilityFields.FLTS.of(1)
          | ExtendedCapabilityFields.NEST.of(1)
          | ExtendedCapabilityFields.PASID.of(1)
          | ExtendedCapabilityFields.PSS.of(19)
          | ExtendedCapabilityFields.RPS.of(1);

  private SimulatedMachine(long smallCap, long largeCap) {
    this(smallCap, largeCap, ECAP, DriverPolicies.usual());
  }

  private SimulatedMachine(long smallCap, long largeCap, long ecap, DriverPolicies policies) {
    this(smallCap, largeCap, ecap, policies, 4L << 30);
  }

  private SimulatedMachine(
      long smallCap, long largeCap, long ecap, DriverPolicies policies, long memory) {
    MemoryMap map =
        MemoryMap.of(
            memory,
            LOW_TOP,
            List.of(new MemoryMap.Region(USB_REGION.base(), USB_REGION.limit() + 1)));
    hypervisor = new Hypervisor(HypervisorSettings.of(map));
    topology = new PciTopology(functions());
    for (long cap : new long[] {smallCap, largeCap}) {
      units.add(
          new RemappingUnit(
              UnitSettings.of(UnitVersion.V1_0, new Capabilities(cap, ecap), 46),
              hypervisor.memory(),
              processors::deliver));
    }
    RemappingHardware hardware =
        new RemappingHardware(
            units.stream().<Mmio>map(unit -> new WatchedRegisters(unit, this)).toList(),
            topology,
            new UnitScopes(definitions(), topology),
            List.of(USB_REGION));
    driver = new VtdDriver(hypervisor, hardware, policies);
    interrupts = new Interrupts(hypervisor, driver, topology, processors, Chipset.NONE);
    hypervisor.bootDom0();
    driver.start();
    calls = new DeviceCalls(hypervisor, driver, topology);
    rootComplex = new RootComplex(hypervisor.memory(), processors::deliver);
  }

  static SimulatedMachine with(DriverPolicies policies) {
    return new SimulatedMachine(SMALL_UNIT, LARGE_UNIT, ECAP, policies);
  }

  public static SimulatedMachine boot() {
    return new SimulatedMachine(SMALL_UNIT, LARGE_UNIT);
  }

  /** The machine with 8 GiB instead of 4. */
  public static SimulatedMachine large() {
    return new SimulatedMachine(SMALL_UNIT, LARGE_UNIT, ECAP, DriverPolicies.usual(), 8L << 30);
  }

  /** The machine with caching mode on every unit, so that domain-id 0 is the hardware's. */
  static SimulatedMachine withCachingMode() {
    return new SimulatedMachine(
        CapabilityFields.CM.set(SMALL_UNIT), CapabilityFields.CM.set(LARGE_UNIT));
  }

  /** The machine with units of scalable mode that nest, in caching mode or not. */
  static SimulatedMachine scalable(boolean cachingMode) {
    long mode = CapabilityFields.CM.of(cachingMode ? 1 : 0);
    return new SimulatedMachine(
        SMALL_UNIT | mode, LARGE_UNIT | mode, SCALABLE_ECAP, DriverPolicies.usual());
  }

  /** The machine with a unit that has no 2 MiB and 1 GiB leaves. */
  static SimulatedMachine withoutSuperpages() {
    return new SimulatedMachine(CapabilityFields.SLLPS.put(SMALL_UNIT, 0), LARGE_UNIT);
  }

  private static long capabilities(int domainIdEncoding) {
    return CapabilityFields.ND.of(domainIdEncoding)
        | CapabilityFields.SAGAW.of(0b110)
        | CapabilityFields.MGAW.of(47)
        | CapabilityFields.ZLR.of(1)
        | CapabilityFields.FRO.of(0x40)
        | CapabilityFields.SLLPS.of(0b11)
        | CapabilityFields.PSI.of(1)
        | CapabilityFields.NFR.of(7)
        | CapabilityFields.MAMV.of(18);
  }

  private static List<PciFunction> functions() {
    return List.of(
        function("00:00.0", 0x060000, PciKind.HOST_BRIDGE),
        function("00:01.0", 0x060400, PciKind.PCIE_BRIDGE).withBuses(new BusRange(3, 3)),
        function("00:02.0", 0x060400, PciKind.PCIE_BRIDGE).withBuses(new BusRange(4, 4)),
        function("00:03.0", 0x060400, PciKind.PCIE_BRIDGE).withBuses(new BusRange(5, 6)),
        function("00:14.0", 0x0c0330, PciKind.PCIE_ENDPOINT),
        function("03:00.0", 0x020000, PciKind.PCIE_ENDPOINT)
            .withSriov(new SriovCapability(24, 24, 0x80, 1, 0x154c)),
        function("04:00.0", 0x010802, PciKind.PCIE_ENDPOINT),
        function("05:00.0", 0x060400, PciKind.PCIE_TO_PCI_BRIDGE).withBuses(new BusRange(6, 6)),
        function("06:01.0", 0x040100, PciKind.PCI),
        function("06:02.0", 0x078000, PciKind.PCI));
  }

  private static PciFunction function(String sbdf, int classCode, PciKind kind) {
    PciIdentity identity = new PciIdentity(0x8086, 0x1572, classCode, "");
    return PciFunction.of(Sbdf.parse(sbdf), identity, kind);
  }

  private static List<Drhd> definitions() {
    Sbdf nicPort = Sbdf.parse("00:01.0");
    return List.of(
        new Drhd(
            0,
            0xfed9_0000L,
            0,
            false,
            List.of(DeviceScope.of(DeviceScope.Type.PCI_BRIDGE, nicPort))),
        new Drhd(0, 0xfed9_1000L, 0, true, List.of()));
  }

  /** The address of a virtual function of the NIC. */
  public static Sbdf virtualFunction(int index) {
    return new SriovCapability(24, 24, 0x80, 1, 0x154c).virtualFunction(NIC, index);
  }

  /** A guest with {@code pages} pages of RAM from gfn 0 on, mapped one by one. */
  public Domain guest(int pages) {
    return guest(pages, false);
  }

  /** As {@link #guest}, with tables of its own for its devices where {@code separate}. */
  Domain guest(int pages, boolean separate) {
    Outcome.Success created =
        (Outcome.Success)
            hypervisor.domainCalls().createDomain(DomainId.DOM0, creation(separate ? 1 : 0));
    DomainId id = ((NewDomain) created.out()).domain();
    hypervisor.domainCalls().maxMem(DomainId.DOM0, new MaxMem(id, new Word(pages * 4L)));
    Domain guest = hypervisor.domains().byId(id);
    guest.memory().pagingPool().ifPresent(pool -> pool.resize(pool.totalPages() + pages / 512));
    populate(id, GuestFrames.consecutive(new Gfn(0), pages));
    return guest;
  }

  private void populate(DomainId domain, GuestFrames frames) {
    Outcome populated =
        hypervisor
            .memoryCalls()
            .populatePhysmap(
                DomainId.DOM0,
                new PopulatePhysmap(domain, frames, Optional.empty(), 0, new Word(0)));
    if (populated.ret() != frames.count()) {
      throw new IllegalStateException("only " + populated.ret() + " pages were to be had");
    }
  }

  private static CreateDomain creation(long iommuOpts) {
    return new CreateDomain(
        DomainId.ANY,
        0,
        new UUID(0, 0),
        GUEST_FLAGS,
        iommuOpts,
        1,
        1023,
        -1,
        -1,
        2,
        new CreateDomain.Altp2m(0, 0),
        0,
        0,
        Optional.empty());
  }

  /** Destroys a guest for good. */
  void destroy(Domain guest) {
    hypervisor.domainCalls().destroyDomain(DomainId.DOM0, new DestroyDomain(guest.id()));
  }

  /** Gives a guest a page it has not. */
  public void add(Domain guest, long gfn) {
    populate(guest.id(), GuestFrames.of(new Gfn(gfn)));
  }

  /** Gives a guest pages it has not, in one call. */
  void add(Domain guest, Gfn first, int pages) {
    populate(guest.id(), GuestFrames.consecutive(first, pages));
  }

  /** Balloons one page out of a guest. */
  public void remove(Domain guest, long gfn) {
    hypervisor
        .memoryCalls()
        .decreaseReservation(
            DomainId.DOM0,
            new DecreaseReservation(
                guest.id(), GuestFrames.of(new Gfn(gfn)), Optional.empty(), 0, new Word(0)));
  }

  public void assign(Sbdf device, Domain guest) {
    calls.assignDevice(DomainId.DOM0, new AssignDevice(guest.id(), device, 0, 0));
  }

  public void deassign(Sbdf device, DomainId owner) {
    calls.deassignDevice(DomainId.DOM0, new DeassignDevice(owner, device, 0, 0));
  }

  /** The errno of a call that is refused; fails where it is not. */
  static Errno refusalOf(Runnable call) {
    try {
      call.run();
    } catch (Refusal refusal) {
      return refusal.errno();
    }
    throw new AssertionError("was not refused");
  }

  DmaOutcome write(Sbdf device, long address, String hex) {
    return rootComplex.write(requester(device), address, HexFormat.of().parseHex(hex));
  }

  DmaOutcome read(Sbdf device, long address, int length) {
    return read(device, address, new byte[length]);
  }

  /** Fills {@code target} with what the device reads. */
  public DmaOutcome read(Sbdf device, long address, byte[] target) {
    return rootComplex.read(requester(device), address, target);
  }

  private DmaRequester requester(Sbdf device) {
    Optional<RemappingUnit> unit =
        driver
            .devices()
            .find(device)
            .flatMap(PciDevice::unit)
            .map(UnitDriver::index)
            .map(units::get);
    return new DmaRequester(device.sourceId(), unit, true);
  }

  /** The unit's driver: 0 behind which the NIC is, 1 for the rest. */
  UnitDriver unit(int index) {
    return driver.units().get(index);
  }

  /** What every consistency check has to say. */
  public List<Violation> violations() {
    return new IommuAudit(
            hypervisor, driver, new IommuAudit.Hardware(topology, units, interrupts.machine()))
        .violations();
  }

  String digest() {
    StateDigest digest = new StateDigest();
    digest.put(hypervisor).put(driver).put(interrupts).put(topology);
    units.forEach(digest::put);
    return digest.finish();
  }

  /** The virtual functions of the NIC, in order. */
  static List<Sbdf> virtualFunctions() {
    return IntStream.range(0, 24).mapToObj(SimulatedMachine::virtualFunction).toList();
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
