package io.hypercalld.iommu.driver;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.HypervisorSettings;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.List;

/**
 * The driver of a unit with 65,536 domain-ids, and a device of its own for each of many domains.
 */
final class CrowdedDriver implements AutoCloseable {
  static final int ALL = 1 << 16;

  private static final long CAP =
      CapabilityFields.ND.of(6)
          | CapabilityFields.SAGAW.of(0b110)
          | CapabilityFields.MGAW.of(47)
          | CapabilityFields.FRO.of(0x40)
          | CapabilityFields.SLLPS.of(0b11)
          | CapabilityFields.PSI.of(1)
          | CapabilityFields.NFR.of(7)
          | CapabilityFields.MAMV.of(18);
  private static final long ECAP =
      ExtendedCapabilityFields.C.of(1)
          | ExtendedCapabilityFields.QI.of(1)
          | ExtendedCapabilityFields.IRO.of(0x50);

  private final Hypervisor hypervisor =
      new Hypervisor(HypervisorSettings.of(MemoryMap.of(1L << 30, 1L << 30, List.of())));
  private final CountedRegisters registers =
      new CountedRegisters(
          new RemappingUnit(
              UnitSettings.of(UnitVersion.V1_0, new Capabilities(CAP, ECAP), 46),
              hypervisor.memory(),
              _ -> {}));

  private final UnitDriver unit;

  /** No domain has a device yet. */
  CrowdedDriver(Profile profile) {
    unit =
        new UnitDriver(
            0,
            registers,
            hypervisor.memory(),
            hypervisor.allocator(),
            DomainIdPolicy.PER_UNIT.ofUnit(0, new Capabilities(CAP, ECAP), profile));
  }

  /** The domains that are numbered from {@code first} to before {@code end} get their devices. */
  CrowdedDriver crowd(int first, int end) {
    for (int number = first; number < end; number++) {
      assign(number);
    }
    return this;
  }

  void assign(int number) {
    AddressSpace space = new AddressSpace(new DomainId(number), 4, _ -> 0x10_0000L);
    Transaction.run(
        steps -> {
          unit.entries().attach(steps, new SourceId(number), Reach.of(space));
          return unit;
        });
  }

  void deassign(int number) {
    unit.entries().detach(new SourceId(number));
    unit.domainIds().release(new DomainId(number));
  }

  void flushPage(int number) {
    FlushSet changes = new FlushSet();
    changes.modified(5, 1);
    unit.flush(new DomainId(number), changes);
  }

  UnitDomainIds domainIds() {
    return unit.domainIds();
  }

  /** How often the driver touches a register meanwhile. */
  long accessesOf(Runnable work) {
    long before = registers.accesses;
    work.run();
    return registers.accesses - before;
  }

  /** A unit's registers, and how often software has touched them. */
  private static final class CountedRegisters implements Mmio {
    private final Mmio unit;
    private long accesses;

    CountedRegisters(Mmio unit) {
      this.unit = unit;
    }

    @Override
    public int read32(int offset) {
      accesses++;
      return unit.read32(offset);
    }

    @Override
    public void write32(int offset, int value) {
      accesses++;
      unit.write32(offset, value);
    }

    @Override
    public long read64(int offset) {
      accesses++;
      return unit.read64(offset);
    }

    @Override
    public void write64(int offset, long value) {
      accesses++;
      unit.write64(offset, value);
    }
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
