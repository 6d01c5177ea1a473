package io.hypercalld.iommu.driver;

import static io.hypercalld.core.p2m.DmaPermission.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PageWord;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a DMA table says, and what it takes to say it. */
class DmaTableTest {
  private static final Set<PageSize> ALL = EnumSet.allOf(PageSize.class);
  private static final Set<PageSize> SMALL = EnumSet.of(PageSize.SIZE_4K);
  private static final long FRAMES_2M = PageSize.SIZE_2M.frames();
  private static final long FRAMES_1G = PageSize.SIZE_1G.frames();
  private static final long GIB = 1L << 30;

  private final MachineMemory memory = new MachineMemory(MemoryMap.of(2 * GIB, 2 * GIB, List.of()));
  private final FrameAllocator frames = new FrameAllocator(memory, new FrameTable(memory));
  private FlushSet flush = new FlushSet();
  private DmaTable table = table(ALL, TableFrameSize.FRAME_4K);

  private DmaTable table(Set<PageSize> sizes, TableFrameSize frameSize) {
    return new DmaTable(
        memory, new TableFrames(frames, 1, frameSize), new LeafFormat(sizes, true), 3);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void run_alignedLikeTheGuest_takesTheLargestLeaves() {
    map(0, 0, 4 * FRAMES_1G);

    assertThat(table.counters().tables()).isEqualTo(1);
    assertThat(table.counters().entryWrites()).isEqualTo(4);
  }

  @Test
  void fourGib_bySmallLeaves_takesTheTablesOfTheDocument() {
    table = table(SMALL, TableFrameSize.FRAME_4K);

    map(0, 0, 4 * FRAMES_1G);

    assertThat(table.counters().tables()).isEqualTo(2053);
    assertThat(table.counters().tableBytes()).isEqualTo(8212 << 10);
  }

  @Test
  void fourGib_inFramesOfSixteenKib_takesFourTimesAsMuch() {
    table = table(SMALL, TableFrameSize.FRAME_16K);
    long free = frames.freeFrames();

    map(0, 0, 4 * FRAMES_1G);

    assertThat(table.counters().tableBytes()).isEqualTo(32_848 << 10);
    assertThat(free - frames.freeFrames()).isEqualTo(2052 * 4);
    table.destroy();
    assertThat(frames.freeFrames()).isEqualTo(free + 4);
  }

  @Test
  void singlePages_alignedAndConsecutive_becomeOneLargeLeaf() {
    for (long i = 0; i < FRAMES_2M; i++) {
      map(i, i, 1);
    }

    assertThat(table.counters().coalesces()).isEqualTo(1);
    assertThat(table.counters().tables()).isEqualTo(2);
    assertThat(leafLevel(0)).isEqualTo(2);
    assertThat(flush.isOnlyAdded()).isFalse();
    assertThat(flush.addressMask()).isEqualTo(-1);
    assertThat(flush.freed()).hasSize(1);
  }

  @Test
  void singlePages_notConsecutive_stay() {
    for (long i = 0; i < FRAMES_2M; i++) {
      map(i, i + 1, 1);
    }

    assertThat(table.counters().coalesces()).isZero();
    assertThat(leafLevel(0)).isEqualTo(1);
  }

  @Test
  void singlePages_withoutLargeLeaves_stay() {
    table = table(SMALL, TableFrameSize.FRAME_4K);

    map(0, 0, FRAMES_2M);

    assertThat(table.counters().coalesces()).isZero();
    assertThat(leafLevel(0)).isEqualTo(1);
  }

  @Test
  void largeLeaf_partlyUnmapped_isSplitOnce() {
    map(0, 0, FRAMES_2M);
    table.counters().reset();
    flush = new FlushSet();

    unmap(8, 4);

    assertThat(table.counters().splits()).isEqualTo(1);
    assertThat(table.counters().entryWrites()).isEqualTo(512 + 4);
    assertThat(present(0, FRAMES_2M)).isEqualTo(508);
    assertThat(flush.addressMask()).isEqualTo(2);
  }

  @Test
  void largeLeaf_madeWholeAgain_isOneLeafAgain() {
    map(0, 0, FRAMES_1G);
    unmap(700, 4);

    map(700, 700, 4);

    assertThat(leafLevel(700)).isEqualTo(3);
    assertThat(table.counters().coalesces()).isEqualTo(2);
    assertThat(table.counters().tables()).isEqualTo(1);
  }

  @Test
  void lastPage_unmapped_takesItsTablesWithIt() {
    map(5, 9, 1);
    assertThat(table.counters().tables()).isEqualTo(3);

    unmap(5, 1);

    assertThat(table.counters().tables()).isEqualTo(1);
    assertThat(flush.freed()).hasSize(2);
  }

  @Test
  void change_thatSaysWhatALargeLeafSays_doesNothing() {
    map(0, 0, FRAMES_2M);
    table.counters().reset();

    map(3, 3, 7);

    assertThat(table.counters().splits()).isZero();
    assertThat(table.counters().entryWrites()).isZero();
  }

  @Test
  void deeperTable_keepsWhatItSaidAndWhereSmallUnitsStart() {
    map(0, 0, FRAMES_2M);
    long before = table.rootFor(3);
    assertThat(table.reaches(1L << 27)).isTrue();
    assertThat(table.reaches((1L << 27) + 1)).isFalse();

    grow();
    map(1L << 27, 0, FRAMES_2M);
    unmap(0, FRAMES_2M);

    assertThat(table.levels()).isEqualTo(4);
    assertThat(table.rootFor(3)).isEqualTo(before);
    assertThat(leafLevel(1L << 27)).isEqualTo(2);
  }

  @Test
  void memoryRunningOut_changesNothing() {
    map(0, 0, FRAMES_2M);
    exhaust();
    long writes = table.counters().entryWrites();

    assertThat(SimulatedMachine.refusalOf(() -> unmap(0, 1))).isEqualTo(Errno.ENOMEM);
    assertThat(SimulatedMachine.refusalOf(() -> map(FRAMES_1G - 1, 1, FRAMES_2M + 1)))
        .isEqualTo(Errno.ENOMEM);

    assertThat(table.counters().entryWrites()).isEqualTo(writes);
    map(FRAMES_2M, FRAMES_2M, FRAMES_2M);
    assertThat(leafLevel(FRAMES_2M)).isEqualTo(2);
    unmap(0, FRAMES_2M);
    assertThat(present(0, 1)).isZero();
  }

  @Test
  void fragmentedMemory_withoutFourFramesInARow_isRefusedBeforeTheFirstStore() {
    table = table(SMALL, TableFrameSize.FRAME_16K);
    exhaust();
    for (long mfn = 0x1000; mfn < 0x1100; mfn += 2) {
      frames.free(mfn);
    }

    assertThat(SimulatedMachine.refusalOf(() -> map(0, 0, 1))).isEqualTo(Errno.ENOMEM);
    frames.free(0x1001);
    frames.free(0x1003);
    assertThat(SimulatedMachine.refusalOf(() -> map(0, 0, 1))).isEqualTo(Errno.ENOMEM);
    frames.free(0x1005);
    frames.free(0x1007);
    map(0, 0, 1);

    assertThat(present(0, 1)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomRuns_againstAModel_sayTheSameInAsFewTables(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    TreeMap<Long, Long> model = new TreeMap<>();
    for (int step = 0; step < 20_000; step++) {
      long dfn = random.nextLong(4 * FRAMES_2M);
      long count = 1 + random.nextLong(random.nextBoolean() ? 8 : FRAMES_2M);
      if (random.nextInt(4) == 0) {
        replace(dfn, random, model);
      } else if (random.nextInt(3) > 0) {
        // Mostly the identity, so that large leaves come about.
        long mfn = random.nextInt(8) > 0 ? dfn : random.nextLong(1000);
        map(dfn, mfn, count);
        for (long i = 0; i < count; i++) {
          model.put(dfn + i, mfn + i);
        }
      } else {
        unmap(dfn, count);
        model.subMap(dfn, dfn + count).clear();
      }
      flush = new FlushSet();
      if (step % 500 == 0) {
        check(model);
      }
    }
    unmap(0, 8 * FRAMES_2M);
    assertThat(table.counters().tables()).isEqualTo(1);
  }

  /** What is left of a block, each page by itself: the identity, elsewhere, or a hole. */
  private void replace(long dfn, RandomGenerator random, Map<Long, Long> model) {
    long[] words = new long[(int) FRAMES_2M];
    long end = (dfn & -FRAMES_2M) + FRAMES_2M;
    int holes = random.nextInt(9);
    int strangers = random.nextInt(2);
    for (long frame = dfn; frame < end; frame++) {
      long mfn = random.nextInt(100) < strangers ? random.nextLong(1000) : frame;
      boolean hole = random.nextInt(8) < holes;
      words[(int) (frame % FRAMES_2M)] =
          hole ? PageWord.ABSENT : PageWord.of(mfn, PageWord.READ | PageWord.WRITE);
      model.put(frame, mfn);
      if (hole) {
        model.remove(frame);
      }
    }
    table.replace(flush, new FrameRun(dfn, end - dfn), words);
  }

  /** Every frame, and that no table is there that one entry could replace. */
  private void check(Map<Long, Long> model) {
    for (long dfn = 0; dfn < 6 * FRAMES_2M; dfn++) {
      long expected = model.getOrDefault(dfn, -1L);
      assertThat(translate(dfn)).as("frame %d", dfn).isEqualTo(expected);
    }
    for (long first = 0; first < 6 * FRAMES_2M; first += FRAMES_2M) {
      boolean alike = true;
      long start = model.getOrDefault(first, -1L);
      for (long i = 1; i < FRAMES_2M && alike; i++) {
        long expected = start < 0 ? -1 : start + i;
        alike = model.getOrDefault(first + i, -1L) == expected;
      }
      boolean oneEntry = alike && (start < 0 || start % FRAMES_2M == 0);
      assertThat(leafLevel(first) > 1).as("2 MiB at %d", first).isEqualTo(oneEntry);
    }
  }

  private void map(long dfn, long mfn, long count) {
    table.map(flush, new FrameRun(dfn, count), new Mfn(mfn), READ_WRITE);
  }

  private void unmap(long dfn, long count) {
    table.unmap(flush, new FrameRun(dfn, count));
  }

  private void grow() {
    Transaction.run(
        steps -> {
          table.grow(steps);
          return table;
        });
  }

  /** Leaves the machine without a single free frame. */
  private void exhaust() {
    for (PageSize size : List.of(PageSize.SIZE_1G, PageSize.SIZE_2M, PageSize.SIZE_4K)) {
      while (frames.hasBlock(size)) {
        frames.allocate(size, 2, FrameUse.GUEST_RAM);
      }
    }
  }

  private long present(long dfn, long count) {
    long present = 0;
    for (long i = 0; i < count; i++) {
      present += translate(dfn + i) >= 0 ? 1 : 0;
    }
    return present;
  }

  /** The frame that the table gives, or -1. */
  private long translate(long dfn) {
    long entry = walk(dfn)[0];
    if (!SecondStageEntry.isPresent(entry)) {
      return -1;
    }
    long inside = dfn & ((1L << (9 * (leafLevel(dfn) - 1))) - 1);
    return (SecondStageEntry.target(entry) >>> 12) + inside;
  }

  private int leafLevel(long dfn) {
    return (int) walk(dfn)[1];
  }

  /** The last entry of the walk and its level. */
  private long[] walk(long dfn) {
    long at = table.rootFor(table.levels());
    for (int level = table.levels(); ; level--) {
      long entry = memory.readWord(at + SecondStageEntry.offset(dfn << 12, level));
      if (!SecondStageEntry.isPresent(entry) || SecondStageEntry.isLeaf(entry, level)) {
        return new long[] {entry, level};
      }
      at = SecondStageEntry.target(entry);
    }
  }
}
