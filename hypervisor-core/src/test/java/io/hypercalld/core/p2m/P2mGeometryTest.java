package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class P2mGeometryTest {
  private static final long GIB_FRAMES = PageSize.SIZE_1G.frames();

  private static MappedTable table(P2mGeometry geometry) {
    return new MappedTable(MappedTable.PLAIN.with(geometry), 1024);
  }

  @ParameterizedTest
  @CsvSource({
    "GRANULE_4K, 1, 4096, 512, 4, 36",
    "GRANULE_8K, 2, 8192, 1024, 3, 31",
    "GRANULE_16K, 4, 16384, 2048, 3, 35",
    "GRANULE_64K, 16, 65536, 8192, 3, 43"
  })
  void shape_followsTheGranule(
      P2mGeometry geometry, int frames, int bytes, int entries, int levels, int bits) {
    assertThat(geometry.granuleFrames()).isEqualTo(frames);
    assertThat(geometry.tableBytes()).isEqualTo(bytes);
    assertThat(geometry.entries()).isEqualTo(entries);
    assertThat(geometry.levels()).isEqualTo(levels);
    assertThat(geometry.gfnBits()).isEqualTo(bits);
  }

  @ParameterizedTest
  @CsvSource({
    "GRANULE_16K, 4, 130",
    "GRANULE_16K, 64, 2050",
    "GRANULE_4K, 4, 2054",
    "GRANULE_4K, 64, 32834"
  })
  void tablesFor_isWhatTheDocumentCounts(P2mGeometry geometry, long gib, long tables) {
    assertThat(geometry.tablesFor(gib * GIB_FRAMES)).isEqualTo(tables);
  }

  @Test
  void guestOf4Gib_in16Kib_takes130TablesOf16Kib() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      table.p2m.setRun(new Gfn(0), new Mfn(0), 4 * GIB_FRAMES, P2mType.RAM_RW);

      assertThat(table.p2m.tables()).isEqualTo(130);
      assertThat(table.p2m.tableBytes()).isEqualTo(2080 << 10);
      assertThat(table.pool.usedPages()).isEqualTo(130 * 4);
      assertThat(table.p2m.entries(P2mType.RAM_RW, 2)).isEqualTo(GIB_FRAMES);
      assertThat(table.p2m.maxMappedGfn()).isEqualTo(new Gfn(4 * GIB_FRAMES - 1));
      assertThat(table.p2m.violations()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(P2mGeometry.class)
  void everyFrameOfAGranule_isFound(P2mGeometry geometry) {
    try (MappedTable table = table(geometry)) {
      int frames = geometry.granuleFrames();
      table.p2m.setPages(new Gfn(0x1000), new Mfn(0x2340), 2L * frames, P2mType.RAM_RW);

      for (int i = 0; i < 2 * frames; i++) {
        P2mLookup found = table.p2m.lookup(new Gfn(0x1000 + i));
        assertThat(found.mfn()).isEqualTo(new Mfn(0x2340 + i));
        assertThat(found.order()).isEqualTo(geometry.granuleOrder());
      }
      assertThat(table.type(0xfff)).isEqualTo(P2mType.MMIO_DM);
      assertThat(table.type(0x1000 + 2 * frames)).isEqualTo(P2mType.MMIO_DM);
      assertThat(table.p2m.nextRun(new Gfn(0)))
          .contains(
              new P2mRun(
                  new Gfn(0x1000),
                  new Mfn(0x2340),
                  geometry.granuleOrder(),
                  P2mType.RAM_RW,
                  P2mAccess.RWX,
                  2));
      assertThat(table.p2m.explain(new Gfn(0x1000))).hasSize(geometry.levels());
    }
  }

  @Test
  void partOfAGranule_isEinvalAndChangesNothing() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      P2mTable p2m = table.p2m;
      table.p2m.setPages(new Gfn(0), new Mfn(0x40), 8, P2mType.RAM_RW);
      String before = table.digest();

      assertRefused(() -> table.set(8, 0x80, P2mType.RAM_RW));
      assertRefused(() -> p2m.setPages(new Gfn(9), new Mfn(0x80), 4, P2mType.RAM_RW));
      assertRefused(() -> p2m.setPages(new Gfn(8), new Mfn(0x81), 4, P2mType.RAM_RW));
      assertRefused(() -> p2m.setRun(new Gfn(8), new Mfn(0x80), 3, P2mType.RAM_RW));
      assertRefused(() -> p2m.setRun(new Gfn(1L << 35), new Mfn(0x80), 4, P2mType.RAM_RW));

      assertThat(table.digest()).isEqualTo(before);
    }
  }

  @Test
  void leafOf2Mib_isAsManyGranulesAsItTakes() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      table.ram(0x200, 0x400, PageSize.SIZE_2M);

      assertThat(table.order(0x3ff)).isEqualTo(2);
      assertThat(table.p2m.entries(P2mType.RAM_RW)).isEqualTo(128);
      table.p2m.set(new Gfn(0x200), Mfn.INVALID, PageSize.SIZE_2M, P2mType.INVALID);
      assertThat(table.p2m.entries(P2mType.RAM_RW)).isZero();
    }
  }

  @Test
  void typeOfOneFrame_isThatOfItsGranule() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      table.p2m.setPages(new Gfn(0), new Mfn(0x40), 16, P2mType.RAM_RW);
      table.p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);

      table.p2m.changeType(new Gfn(6), P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);

      assertThat(table.type(3)).isEqualTo(P2mType.RAM_LOGDIRTY);
      assertThat(table.type(4)).isEqualTo(P2mType.RAM_RW);
      assertThat(table.type(7)).isEqualTo(P2mType.RAM_RW);
      assertThat(table.type(8)).isEqualTo(P2mType.RAM_LOGDIRTY);
      assertThat(table.p2m.violations()).isEmpty();
    }
  }

  @Test
  void observer_ofOneGranule_hearsOfItsFramesAtOnce() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      List<P2mChange> heard = new ArrayList<>();
      table.p2m.announcements().observe(heard::add);

      table.p2m.setPages(new Gfn(4), new Mfn(0x40), 4, P2mType.RAM_RW);

      assertThat(heard)
          .containsExactly(
              new P2mChange(new Gfn(4), new Mfn(0x40), 4, DmaPermission.READ_WRITE, false));
    }
  }

  @ParameterizedTest
  @CsvSource({"GRANULE_16K, 4096", "GRANULE_4K, 16384"})
  void sweepOf64Mib_insertsOneTranslationForEachLeaf(P2mGeometry geometry, long inserts) {
    try (MappedTable table = table(geometry)) {
      table.p2m.setPages(new Gfn(0), new Mfn(0x4000), 16384, P2mType.RAM_RW);
      table.p2m.counters().reset();

      for (long gfn = 0; gfn < 16384; gfn++) {
        table.p2m.touched(new Gfn(gfn), table.p2m.lookup(new Gfn(gfn)));
      }

      assertThat(table.p2m.counters().tlbInserts()).isEqualTo(inserts);
    }
  }

  @Test
  void relinquish_givesBlocksOf16KibBack() {
    try (MappedTable table = table(P2mGeometry.GRANULE_16K)) {
      table.p2m.setPages(new Gfn(0), new Mfn(0x40), 4, P2mType.RAM_RW);
      table.p2m.setPages(new Gfn(1L << 30), new Mfn(0x40), 4, P2mType.RAM_RW);

      assertThat(table.p2m.relinquish(2)).isFalse();
      assertThat(table.p2m.relinquish(2)).isTrue();
      assertThat(table.pool.usedPages()).isEqualTo(4);
      table.p2m.free();
      table.pool.close();
      assertThat(table.pool.totalPages()).isZero();
    }
  }

  private static void assertRefused(Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EINVAL));
  }
}
