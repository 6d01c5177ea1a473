package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each counter of a P2M moves with what it counts, and by as much. */
class P2mCountersTest {
  private static final int ENTRIES = 512;

  private final MappedTable table = new MappedTable();
  private final P2mCounters counters = table.p2m.counters();

  @AfterEach
  void release() {
    table.close();
  }

  @Test
  void lookUp_readsAnEntryALevel() {
    table.ram(0, 0x4_0000, PageSize.SIZE_1G);
    table.ram(0x4_0003, 0x1234, PageSize.SIZE_4K);
    counters.reset();

    table.p2m.lookup(new Gfn(0x4_0003));
    assertThat(counters.entryReads()).isEqualTo(4);
    table.p2m.lookup(new Gfn(5));
    assertThat(counters.entryReads()).isEqualTo(4 + 2);
  }

  @Test
  void firstPage_writesThreeTablesTheirHooksAndItself() {
    counters.reset();

    table.ram(0x1000, 0x1234, PageSize.SIZE_4K);

    assertThat(counters.entryWrites()).isEqualTo(3 * ENTRIES + 3 + 1);
    assertThat(table.p2m.tables()).isEqualTo(4);
    assertThat(table.p2m.tableBytes()).isEqualTo(4 * 4096);
    assertThat(counters.splits()).isZero();
    assertThat(counters.flushes()).isZero();
  }

  @Test
  void pageInsideALargerLeaf_isASplitALevelAndAFlush() {
    table.ram(0, 0x4_0000, PageSize.SIZE_1G);
    counters.reset();

    table.ram(5, 0x777, PageSize.SIZE_4K);

    assertThat(counters.splits()).isEqualTo(2);
    assertThat(counters.flushes()).isEqualTo(1);
    table.ram(6, 0x778, PageSize.SIZE_4K);
    assertThat(counters.splits()).isEqualTo(2);
    assertThat(counters.flushes()).isEqualTo(2);
  }

  @Test
  void markedPages_areRecalculatedATableAtATime() {
    table.ram(1, 0x1001, PageSize.SIZE_4K);
    table.ram(2, 0x1002, PageSize.SIZE_4K);
    table.p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
    counters.reset();

    assertThat(table.p2m.resolve(new Gfn(1))).isTrue();
    assertThat(counters.recalculations()).isEqualTo(2);
    assertThat(table.p2m.resolve(new Gfn(2))).isFalse();
    assertThat(counters.recalculations()).isEqualTo(2);
  }

  @Test
  void processor_learnsALeafOnceUntilItIsFlushed() {
    table.ram(0, 0x4_0000, PageSize.SIZE_2M);
    table.ram(0x400, 0x1234, PageSize.SIZE_4K);

    touch(0, 1, 511, 0x400);
    assertThat(counters.tlbInserts()).isEqualTo(2);
    table.ram(0x400, 0x1235, PageSize.SIZE_4K);
    touch(7);
    assertThat(counters.tlbInserts()).isEqualTo(3);
  }

  private void touch(long... gfns) {
    for (long gfn : gfns) {
      table.p2m.touched(new Gfn(gfn), table.p2m.lookup(new Gfn(gfn)));
    }
  }
}
