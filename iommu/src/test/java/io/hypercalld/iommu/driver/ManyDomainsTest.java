package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A unit with 65,536 ids, all of them in use, works as with ten. */
class ManyDomainsTest {
  private static final int ALL = 1 << 16;
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
              UnitSettings.of(UnitSettings.VERSION_1_0, new Capabilities(CAP, ECAP), 46),
              hypervisor.memory(),
              _ -> {}));

  @AfterEach
  void stop() {
    hypervisor.close();
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

  private UnitDriver unit(Profile profile) {
    return new UnitDriver(
        0,
        registers,
        hypervisor.memory(),
        hypervisor.allocator(),
        DomainIdPolicy.PER_UNIT.ofUnit(0, new Capabilities(CAP, ECAP), profile));
  }

  private static void attach(UnitDriver unit, int number) {
    AddressSpace space = new AddressSpace(new DomainId(number), 4, _ -> 0x10_0000L);
    Transaction.run(
        steps -> {
          unit.entries().attach(steps, new SourceId(number), Reach.of(space));
          return unit;
        });
  }

  private long costOfFlush(UnitDriver unit, int number) {
    FlushSet changes = new FlushSet();
    changes.modified(5, 1);
    long before = registers.accesses;
    unit.flush(new DomainId(number), changes);
    return registers.accesses - before;
  }

  @Test
  void today_assignAndFlush_costTheSameWithAllIdsInUseAsWithTen() {
    UnitDriver unit = unit(Profile.TODAY);
    for (int number = 0; number < 10; number++) {
      attach(unit, number);
    }
    long flushOfTen = costOfFlush(unit, 9);
    for (int number = 10; number < ALL - 1; number++) {
      attach(unit, number);
    }
    long before = registers.accesses;

    attach(unit, ALL - 1);

    assertThat(registers.accesses).isEqualTo(before);
    assertThat(costOfFlush(unit, ALL - 1)).isEqualTo(flushOfTen).isPositive();
    assertThat(unit.domainIds().used()).isEqualTo(ALL);
    assertThat(unit.domainIds().scans()).isZero();
  }

  @Test
  void shipped_flush_readsTheMapUpToTheDomainsSlot() {
    UnitDriver unit = unit(Profile.AS_SHIPPED);
    for (int number = 0; number < 1000; number++) {
      attach(unit, number);
    }
    long before = unit.domainIds().scans();

    costOfFlush(unit, 999);

    assertThat(unit.domainIds().scans() - before).isEqualTo(1000);
  }
}
