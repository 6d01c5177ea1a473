package io.hypercalld.core.p2m;

import static io.hypercalld.core.p2m.P2mType.RAM_LOGDIRTY;
import static io.hypercalld.core.p2m.P2mType.RAM_RW;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a change of everything stores, whatever the size of the domain. */
class BulkChangeCostTest {
  private static final P2mSettings LEAVES_OF_2M = new P2mSettings(true, false, PageSize.SIZE_2M);

  @Test
  void changeAll_whereEveryRootEntryLeadsSomewhere_stores512Entries() {
    try (MappedTable table = new MappedTable(LEAVES_OF_2M, 1100)) {
      for (long entry = 0; entry < 512; entry++) {
        table.ram(entry << 27, entry << 9, PageSize.SIZE_2M);
      }

      assertThat(table.writes(() -> table.p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY)))
          .isEqualTo(512);
    }
  }

  @ParameterizedTest
  @CsvSource({"4, 1", "512, 1", "4096, 8"})
  void changeAll_storesAnEntryForEach512Gib(long gib, int rootEntries) {
    try (MappedTable table = mapped(gib)) {
      assertThat(table.writes(() -> table.p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY)))
          .isEqualTo(rootEntries);
    }
  }

  @ParameterizedTest
  @CsvSource({"4", "4096"})
  void secondChange_andWhatTheFirstAccessFinds_costTheSameAtAnySize(long gib) {
    try (MappedTable table = mapped(gib)) {
      table.p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
      table.p2m.resolve(new Gfn(5));

      assertThat(table.writes(() -> table.p2m.types().changeAll(RAM_LOGDIRTY, RAM_RW)))
          .isEqualTo(1);
      // At each of two levels one entry is marked and its parent cleared; the leaf is rewritten.
      assertThat(table.writes(() -> table.p2m.resolve(new Gfn(5)))).isEqualTo(5);
    }
  }

  private static MappedTable mapped(long gib) {
    MappedTable table = new MappedTable(LEAVES_OF_2M, 4200);
    table.p2m.setRun(new Gfn(0), new Mfn(0), gib << 18, RAM_RW);
    return table;
  }
}
