package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.BEYOND_RAM;
import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ;
import static io.hypercalld.iommu.unit.SimulatedUnit.READ_WRITE;
import static io.hypercalld.iommu.unit.SimulatedUnit.WRITE;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static io.hypercalld.iommu.vtd.FaultReason.ADDRESS_BEYOND_WIDTH;
import static io.hypercalld.iommu.vtd.FaultReason.OUTPUT_IN_INTERRUPT_RANGE;
import static io.hypercalld.iommu.vtd.FaultReason.PAGING_ENTRY_RESERVED;
import static io.hypercalld.iommu.vtd.FaultReason.PAGING_ENTRY_UNREADABLE;
import static io.hypercalld.iommu.vtd.FaultReason.READ_NOT_PERMITTED;
import static io.hypercalld.iommu.vtd.FaultReason.WRITE_NOT_PERMITTED;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Second-stage paging: spec/vtd.md 7.4. */
final class PagingBehaviourTest {
  private static final long LEAF = 0x9000 | READ_WRITE;
  private static final long SNP = SecondStageEntry.SNP.mask();
  private static final long TM = SecondStageEntry.TM.mask();
  private static final long PS = SecondStageEntry.PS.mask();

  @Test
  void b38_threeLevelTables_endAt39Bits() {
    try (var it = SimulatedUnit.on()) {
      long top = it.newTable();
      it.context(X, ContextEntry.translating(top, AddressWidth.BITS_39, DOMAIN));
      it.memory.writeWord(it.slot(top, 3, 0x7f_ffff_f000L, 1), LEAF);

      assertThat(it.read(0x7f_ffff_ffffL).maddr()).isEqualTo(0x9fff);
      assertThat(it.faultOf(0x80_0000_0000L, DmaAccess.READ)).isEqualTo(ADDRESS_BEYOND_WIDTH);
    }
  }

  @Test
  void b39_signExtendedAddress_isBeyondTheWidth() {
    try (var it = SimulatedUnit.on()) {
      assertThat(it.faultOf(0xffff_8000_0000_0000L, DmaAccess.READ))
          .isEqualTo(ADDRESS_BEYOND_WIDTH);
      assertThat(it.record(0).iova()).as("bits from MGAW on are zero").isEqualTo(1L << 47);
    }
  }

  @Test
  void b40_narrowUnit_clipsFourLevelTables() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.MGAW, 38))) {
      it.map(0x80_0000_0000L, 0x9000);

      assertThat(it.faultOf(0x80_0000_0000L, DmaAccess.READ)).isEqualTo(ADDRESS_BEYOND_WIDTH);
    }
  }

  @Test
  void b41_absentTopEntry_lacksThePermission() {
    try (var it = SimulatedUnit.on()) {
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(READ_NOT_PERMITTED);
      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).isEqualTo(WRITE_NOT_PERMITTED);
    }
  }

  @Test
  void b42_readOnlyPage_refusesWrites() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000, READ);

      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).isEqualTo(WRITE_NOT_PERMITTED);
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).as("on a hit").isEqualTo(WRITE_NOT_PERMITTED);
    }
  }

  @Test
  void b43_writeOnlyPage_refusesReadsButNotEmptyOnes() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000, WRITE);

      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(READ_NOT_PERMITTED);
      assertThat(it.write(0x5000).passed()).isTrue();
      assertThat(it.translate(X, 0x5000, DmaAccess.ZERO_LENGTH_READ).passed()).isTrue();
    }
  }

  @Test
  void b43_withoutZlr_emptyReadsAreReads() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.ZLR, 0))) {
      it.map(0x5000, 0x9000, WRITE);

      assertThat(it.faultOf(0x5000, DmaAccess.ZERO_LENGTH_READ)).isEqualTo(READ_NOT_PERMITTED);
      it.write(0x5000);
      assertThat(it.faultOf(0x5000, DmaAccess.ZERO_LENGTH_READ)).isEqualTo(READ_NOT_PERMITTED);
    }
  }

  @Test
  void emptyRead_ofNothing_isAReadThatIsNotPermitted() {
    try (var it = SimulatedUnit.on()) {
      assertThat(it.faultOf(0x5000, DmaAccess.ZERO_LENGTH_READ)).isEqualTo(READ_NOT_PERMITTED);
      assertThat(it.record(0).isRead()).isTrue();
    }
  }

  @Test
  void b44_absentEntryFullOfGarbage_isAbsent() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x5000, 1, ~(long) READ_WRITE);

      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(READ_NOT_PERMITTED);
      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).isEqualTo(WRITE_NOT_PERMITTED);
    }
  }

  @Test
  void b45_permissions_areThoseOfAllLevels() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      long upper = it.memory.readWord(it.slot(0x5000, 3));
      it.put(0x5000, 3, SecondStageEntry.W.clear(upper));

      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).isEqualTo(WRITE_NOT_PERMITTED);
      assertThat(it.read(0x5000).passed()).isTrue();
      assertThat(it.unit.iotlb()).singleElement().matches(entry -> !entry.writable());
    }
  }

  @Test
  void b46_snoopBit_isReservedWithoutSnoopControl() {
    try (var with = SimulatedUnit.on();
        var without = SimulatedUnit.on(with(ExtendedCapabilityFields.SC, 0))) {
      with.put(0x5000, 1, LEAF | SNP);
      without.put(0x5000, 1, LEAF | SNP);

      assertThat(with.read(0x5000).maddr()).isEqualTo(0x9000);
      assertThat(without.read(0x5000).reason()).isEqualTo(PAGING_ENTRY_RESERVED);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "b47 TM without device-TLBs, 1, 0x4000000000009003",
    "b48 address beyond HAW, 1, 0x400000009003",
    "b52 address bit inside 2M, 2, 0x201083",
    "b53 address bit inside 1G, 3, 0x60000083",
    "b54 512G page, 4, 0x83",
    "SNP in a table pointer, 2, 0x300803",
    "TM in a table pointer, 3, 0x4000000000300003",
  })
  void b47tob54_reservedBits_fault(String what, int level, long entry) {
    try (var it = SimulatedUnit.on()) {
      it.put(0x5000, level, entry);

      assertThat(it.read(0x5000).reason()).as(what).isEqualTo(PAGING_ENTRY_RESERVED);
    }
  }

  @Test
  void b49b50_ignoredBits_areIgnored() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x5000, 1, LEAF | PS | 1L << 63 | 0x3ffL << 52 | 1 << 10 | 0x7c | 0x300);

      assertThat(it.read(0x5123).maddr()).isEqualTo(0x9123);
      assertThat(it.translation.pageSize()).isEqualTo(PageSize.SIZE_4K);
    }
  }

  @Test
  void b51_twoMegabytePage_addsTheOffset() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x20_0000, 2, 0x1_4000_0000L | PS | READ_WRITE);

      assertThat(it.read(0x2a_bcde).maddr()).isEqualTo(0x1_400a_bcdeL);
      assertThat(it.translation.pageSize()).isEqualTo(PageSize.SIZE_2M);
      assertThat(it.read(0x20_0000).iotlbHit()).isTrue();
    }
  }

  @Test
  void b53b55_superpagesTheUnitLacks_areReserved() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.SLLPS, 0));
        var able = SimulatedUnit.on()) {
      it.put(0x20_0000, 2, PS | READ_WRITE);
      it.put(0x4000_0000, 3, PS | READ_WRITE);
      able.put(0x20_0000, 2, PS | READ_WRITE);

      assertThat(it.read(0x20_0000).reason()).isEqualTo(PAGING_ENTRY_RESERVED);
      assertThat(it.read(0x4000_0000).reason()).isEqualTo(PAGING_ENTRY_RESERVED);
      assertThat(able.read(0x20_0000).passed()).isTrue();
    }
  }

  @Test
  void b56_lowerTableOutsideMemory_isUnreadable() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x5000, 4, SecondStageEntry.table(BEYOND_RAM));

      assertThat(it.read(0x5000).reason()).isEqualTo(PAGING_ENTRY_UNREADABLE);
    }
  }

  @Test
  void b57_permission_comesBeforeReservedBits() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x5000, 1, 0x9000 | TM | READ);

      assertThat(it.faultOf(0x5000, DmaAccess.WRITE)).isEqualTo(WRITE_NOT_PERMITTED);
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(PAGING_ENTRY_RESERVED);
    }
  }

  @Test
  void b58_gigabytePage_addsTheOffset() {
    try (var it = SimulatedUnit.on()) {
      it.put(0x4_1234_5678L, 3, 0x8000_0000L | PS | READ_WRITE);

      assertThat(it.read(0x4_1234_5678L).maddr()).isEqualTo(0x9234_5678L);
      assertThat(it.translation.pageSize()).isEqualTo(PageSize.SIZE_1G);
    }
  }

  @Test
  void b60_outputInTheInterruptRange_isBlocked() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0xfee0_0000L);
      it.put(0x20_0000, 2, 0xfee0_0000L | PS | READ_WRITE);

      assertThat(it.write(0x5000).reason()).isEqualTo(OUTPUT_IN_INTERRUPT_RANGE);
      assertThat(it.read(0x20_0000).reason()).isEqualTo(OUTPUT_IN_INTERRUPT_RANGE);
      assertThat(it.read(0x30_0000).maddr()).as("second half of the 2M").isEqualTo(0xfef0_0000L);
      assertThat(it.read(0x2f_f000).reason()).isEqualTo(OUTPUT_IN_INTERRUPT_RANGE);
      assertThat(it.unit.iotlb())
          .as("remembered in pieces")
          .singleElement()
          .matches(entry -> entry.size() == PageSize.SIZE_4K);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, WRITE_NOT_PERMITTED",
    "2, READ_NOT_PERMITTED",
    "0, WRITE_NOT_PERMITTED",
  })
  void b63_atomic_needsBothPermissionsAndLacksWriteFirst(int permissions, String reason) {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000, permissions);

      assertThat(it.faultOf(0x5000, DmaAccess.ATOMIC)).hasToString(reason);
      assertThat(it.record(0).hi() >>> 62 & 1).as("T1").isEqualTo(1);
      assertThat(it.record(0).hi() >>> 28 & 1).as("T2").isEqualTo(1);
    }
  }

  @Test
  void b64_tables_areNeverWritten() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      long before = it.memory.readWord(it.slot(0x5000, 1));

      it.write(0x5000);
      it.read(0x5000);

      assertThat(it.memory.readWord(it.slot(0x5000, 1))).isEqualTo(before);
    }
  }
}
