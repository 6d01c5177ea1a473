package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.memory.WordProgression;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class P2mEntryTest {
  private static final long GIB = 1L << 30;

  /** The raw leaf that a P2M with the settings stores. */
  private static long stored(P2mSettings settings, P2mType type, PageSize size) {
    try (MachineMemory memory = new MachineMemory(MemoryMap.of(GIB, GIB, List.of()))) {
      PagingPool pool = new PagingPool(new FrameAllocator(memory, new FrameTable(memory)), 1);
      pool.resize(8);
      P2mTable p2m = new P2mTable(memory, pool, settings);
      p2m.set(new Gfn(0), new Mfn(0x4_0000), size, type);
      return p2m.explain(new Gfn(0)).getLast().raw().value();
    }
  }

  private static P2mSettings settings(boolean iommu, boolean snoop) {
    return new P2mSettings(iommu, snoop, PageSize.SIZE_1G);
  }

  @ParameterizedTest
  @CsvSource({
    "false, false, SIZE_4K, b800000040000377",
    "false, false, SIZE_2M, b8000000400003f7",
    "false, false, SIZE_1G, b8000000400003f7",
    "true, false, SIZE_4K, b800000040000337",
    "true, true, SIZE_2M, b800000040000bb7"
  })
  void ramLeaf_isExactlyXens(boolean iommu, boolean snoop, PageSize size, String expected) {
    long entry = stored(settings(iommu, snoop), P2mType.RAM_RW, size);

    assertThat(Long.toHexString(entry)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "RAM_RW, 7, 0x300",
    "RAM_LOGDIRTY, 5, 0x100",
    "RAM_RO, 5, 0x100",
    "MMIO_DIRECT, 7, 0x300",
    "POPULATE_ON_DEMAND, 0, 0",
    "GRANT_MAP_RW, 3, 0x300",
    "GRANT_MAP_RO, 1, 0x100",
    "RAM_PAGING_OUT, 0, 0",
    "RAM_PAGED, 0, 0",
    "RAM_PAGING_IN, 0, 0",
    "RAM_SHARED, 5, 0x100",
    "RAM_BROKEN, 0, 0",
    "MAP_FOREIGN, 3, 0x300",
    "IOREQ_SERVER, 3, 0x300"
  })
  void permissionsAndAccessedAndDirtyBits_followTheType(P2mType type, long rwx, String ad) {
    long entry = stored(settings(false, false), type, PageSize.SIZE_4K);

    assertThat(entry & 7).isEqualTo(rwx);
    assertThat(entry & 0x300).isEqualTo(Long.decode(ad));
    assertThat(P2mEntry.type(entry)).isEqualTo(type);
    assertThat(P2mEntry.access(entry)).isEqualTo(P2mAccess.RWX);
    assertThat(P2mEntry.SUPPRESS_VE.isSet(entry)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "MMIO_DIRECT, 0, false",
    "GRANT_MAP_RW, 6, true",
    "MAP_FOREIGN, 6, true",
    "RAM_RW, 6, false"
  })
  void memoryType_ofADomainWithAnIommu(P2mType type, int emt, boolean ipat) {
    long entry = stored(settings(true, false), type, PageSize.SIZE_4K);

    assertThat(P2mEntry.EMT.getInt(entry)).isEqualTo(emt);
    assertThat(P2mEntry.IPAT.isSet(entry)).isEqualTo(ipat);
  }

  @Test
  void tableEntry_permitsEverythingAndIsNoLeaf() {
    try (MachineMemory memory = new MachineMemory(MemoryMap.of(GIB, GIB, List.of()))) {
      PagingPool pool = new PagingPool(new FrameAllocator(memory, new FrameTable(memory)), 1);
      pool.resize(8);
      P2mTable p2m = new P2mTable(memory, pool, settings(false, false));
      p2m.set(new Gfn(0), new Mfn(1), PageSize.SIZE_4K, P2mType.RAM_RW);

      long entry = p2m.explain(new Gfn(0)).getFirst().raw().value();

      assertThat(entry & ~P2mEntry.MFN.mask()).isEqualTo(0xb800_0000_0000_0107L);
      assertThat(P2mEntry.isLeaf(entry, 4)).isFalse();
    }
  }

  @Test
  void slotOfANewTable_suppressesVeAndIsEmpty() {
    assertThat(P2mEntry.EMPTY).isEqualTo(0x8000_0000_0000_0000L);
    assertThat(P2mEntry.isValid(P2mEntry.EMPTY)).isFalse();
    assertThat(P2mEntry.isValid(0)).isFalse();
    assertThat(P2mEntry.isValid(P2mEntry.SA_P2MT.of(1) | 0x777)).isFalse();
    assertThat(P2mEntry.isValid(P2mEntry.SA_P2MT.of(6))).isTrue();
  }

  @Test
  void layout_namesEveryBit() {
    assertThat(P2mEntry.LAYOUT.reservedMask()).isZero();
  }

  @ParameterizedTest
  @EnumSource(P2mType.class)
  void type_isFoundByItsNumber(P2mType type) {
    assertThat(P2mType.ofNumber(type.number())).isEqualTo(type);
  }

  @ParameterizedTest
  @EnumSource(P2mAccess.class)
  void access_isFoundByItsNumber(P2mAccess access) {
    assertThat(P2mAccess.ofNumber(access.number())).isEqualTo(access);
  }

  @ParameterizedTest
  @CsvSource({
    "RAM_RW, READ_WRITE",
    "INVALID, NONE",
    "RAM_LOGDIRTY, READ_WRITE",
    "RAM_RO, READ",
    "MMIO_DM, NONE",
    "POPULATE_ON_DEMAND, NONE",
    "GRANT_MAP_RW, READ_WRITE",
    "GRANT_MAP_RO, READ",
    "RAM_PAGING_OUT, NONE",
    "RAM_PAGED, NONE",
    "RAM_PAGING_IN, NONE",
    "RAM_SHARED, NONE",
    "RAM_BROKEN, NONE",
    "MAP_FOREIGN, READ_WRITE",
    "IOREQ_SERVER, NONE"
  })
  void dmaPermission_followsTheType(P2mType type, DmaPermission expected) {
    assertThat(type.dma()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"RWX, READ_WRITE", "RW, READ_WRITE", "RX, READ", "R, READ", "N, NONE", "X, NONE"})
  void dmaPermission_ofADevicesPage_followsTheAccess(P2mAccess access, DmaPermission expected) {
    EntryFormat format = new EntryFormat(settings(false, false), new IoreqRules());

    WordProgression leaves = format.leaves(P2mType.MMIO_DIRECT, access, 1, new Mfn(1));

    assertThat(P2mEntry.dma(leaves.first())).isEqualTo(expected);
  }

  @Test
  void groups_areXensAndTheTypesOfMoreServers() {
    assertThat(P2mType.RAM)
        .extracting(P2mType::number)
        .containsExactly(0, 2, 3, 9, 10, 11, 12, 15, 16, 17, 18);
    assertThat(P2mType.ANY_RAM)
        .extracting(P2mType::number)
        .containsExactly(0, 2, 3, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18);
    assertThat(P2mType.HOLE).extracting(P2mType::number).containsExactly(1, 4, 10, 11);
    assertThat(P2mType.SPECIAL).extracting(P2mType::number).containsExactly(5, 7, 8, 14);
    assertThat(P2mType.CHANGEABLE)
        .extracting(P2mType::number)
        .containsExactly(0, 2, 15, 16, 17, 18);
    assertThat(P2mType.READONLY).extracting(P2mType::number).containsExactly(2, 3, 8, 12);
    assertThat(P2mType.DISCARD_WRITE).extracting(P2mType::number).containsExactly(3, 8);
    assertThat(P2mType.PAGING).extracting(P2mType::number).containsExactly(9, 10, 11);
  }
}
