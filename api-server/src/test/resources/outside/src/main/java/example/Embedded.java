package example;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.NewDomain;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.driver.DriverPolicies;
import io.hypercalld.iommu.driver.RemappingHardware;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.hypercall.DeviceCalls;
import io.hypercalld.iommu.interrupt.Chipset;
import io.hypercalld.iommu.interrupt.Interrupts;
import io.hypercalld.iommu.interrupt.Processors;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import io.hypercalld.iommu.unit.DmaRequester;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.RootComplex;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.UnitVersion;
import io.hypercalld.ioreq.DeviceModels;
import io.hypercalld.ioreq.dispatch.PortAccess;
import io.hypercalld.ioreq.hypercall.CreateIoreqServer;
import io.hypercalld.ioreq.hypercall.MapIoRange;
import io.hypercalld.ioreq.hypercall.SetIoreqServerState;
import io.hypercalld.ioreq.server.IoServers;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** A hypervisor, a remapping unit and a device model in one program: no server, no framework. */
public final class Embedded {
  private static final Sbdf NIC = Sbdf.parse("0000:00:03.0");
  private static final long CAP =
      CapabilityFields.ND.of(2)
          | CapabilityFields.SAGAW.of(0b100)
          | CapabilityFields.MGAW.of(47)
          | CapabilityFields.SLLPS.of(0b11)
          | CapabilityFields.FRO.of(0x40);
  private static final long ECAP =
      ExtendedCapabilityFields.C.of(1)
          | ExtendedCapabilityFields.QI.of(1)
          | ExtendedCapabilityFields.SC.of(1)
          | ExtendedCapabilityFields.IRO.of(0x50);

  private final Hypervisor hypervisor =
      new Hypervisor(HypervisorSettings.of(MemoryMap.of(4L << 30, 2L << 30, List.of())));
  private final Processors processors = new Processors(1);
  private final PciTopology topology =
      new PciTopology(
          List.of(
              function("0000:00:00.0", 0x060000, PciKind.HOST_BRIDGE),
              PciFunction.of(
                  NIC, new PciIdentity(0x8086, 0x10d3, 0x020000, ""), PciKind.PCIE_ENDPOINT)));
  private final RemappingUnit unit =
      new RemappingUnit(
          UnitSettings.of(UnitVersion.V1_0, new Capabilities(CAP, ECAP), 46),
          hypervisor.memory(),
          processors::deliver);
  private final DeviceModels models = new DeviceModels(hypervisor);
  private final DeviceCalls devices;

  private Embedded() {
    UnitScopes scopes =
        new UnitScopes(List.of(new Drhd(0, 0xfed9_0000L, 0, true, List.of())), topology);
    VtdDriver driver =
        new VtdDriver(
            hypervisor,
            new RemappingHardware(List.of(unit), topology, scopes, List.of()),
            DriverPolicies.usual());
    new Interrupts(hypervisor, driver, topology, processors, Chipset.NONE);
    devices = new DeviceCalls(hypervisor, driver, topology);
    hypervisor.bootDom0();
    driver.start();
  }

  private static PciFunction function(String sbdf, int classCode, PciKind kind) {
    return PciFunction.of(Sbdf.parse(sbdf), new PciIdentity(0x8086, 0x29c0, classCode, ""), kind);
  }

  /** A running HVM guest with 1,024 pages from guest frame 0 on. */
  private Domain guest() {
    CreateDomain creation =
        new CreateDomain(
            DomainId.ANY,
            0,
            new UUID(0, 1),
            0x23,
            0,
            1,
            1023,
            -1,
            -1,
            2,
            new CreateDomain.Altp2m(0, 0),
            0,
            0,
            Optional.empty());
    Outcome.Success created =
        (Outcome.Success) hypervisor.domainCalls().createDomain(DomainId.DOM0, creation);
    DomainId id = ((NewDomain) created.out()).domain();
    hypervisor.domainCalls().maxMem(DomainId.DOM0, new MaxMem(id, new Word(8192)));
    hypervisor.domainCalls().maxVcpus(DomainId.DOM0, new MaxVcpus(id, 1));
    hypervisor
        .memoryCalls()
        .populatePhysmap(
            DomainId.DOM0,
            new PopulatePhysmap(
                id, GuestFrames.consecutive(new Gfn(0), 1024), Optional.empty(), 0, new Word(0)));
    hypervisor.domainCalls().unpauseDomain(DomainId.DOM0, new UnpauseDomain(id));
    return hypervisor.domains().byId(id);
  }

  private DmaOutcome write(long address, byte[] data) {
    DmaRequester nic = new DmaRequester(NIC.sourceId(), Optional.of(unit), true);
    return new RootComplex(hypervisor.memory(), processors::deliver).write(nic, address, data);
  }

  /** A device of one port, which always holds 0x41. */
  private AccessOutcome readPort(Domain guest) {
    models.serverCalls().create(DomainId.DOM0, new CreateIoreqServer(guest.id(), 0, List.of(), 0));
    IoServers servers = guest.facet(IoServers.class);
    servers.makePage(servers.all().iterator().next(), 1);
    models
        .serverCalls()
        .map(DomainId.DOM0, new MapIoRange(guest.id(), 0, 0, 0, new Word(0x3f8), new Word(0x3f8)));
    models.serverCalls().setState(DomainId.DOM0, new SetIoreqServerState(guest.id(), 0, 1, 0));
    PortAccess in = new PortAccess(0, 0x3f8, 1, true, 0);
    AccessOutcome sent = models.cpus().access(guest, in);
    models.cpus().respond(guest, 0, sent.request().orElseThrow(), new Word(0x41));
    return models.cpus().access(guest, in);
  }

  public static void main(String[] arguments) {
    Embedded machine = new Embedded();
    try (Hypervisor hypervisor = machine.hypervisor) {
      byte[] data = {1, 2, 3};
      System.out.println("of dom0: " + machine.write(0x3000, data).verdict());
      Domain guest = machine.guest();
      machine.devices.assignDevice(DomainId.DOM0, new AssignDevice(guest.id(), NIC, 0, 0));
      System.out.println("of a guest: " + machine.write(0x3000, data).verdict());
      System.out.println("beyond its memory: " + machine.write(0x4000_0000L, data).verdict());
      System.out.println("port: " + machine.readPort(guest).data().orElseThrow());
    }
  }
}
