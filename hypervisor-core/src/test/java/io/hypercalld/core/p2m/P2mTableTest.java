package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.P2mStep.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class P2mTableTest {
  private static final long GIB = 1L << 30;

  private final MachineMemory memory = new MachineMemory(MemoryMap.of(4 * GIB, 2 * GIB, List.of()));
  private final FrameAllocator allocator = new FrameAllocator(memory, new FrameTable(memory));
  private final PagingPool pool = new PagingPool(allocator, 1);
  private final P2mTable p2m;

  P2mTableTest() {
    pool.resize(20);
    p2m = new P2mTable(memory, pool, new P2mSettings(false, false, PageSize.SIZE_1G));
  }

  @AfterEach
  void release() {
    memory.close();
  }

  private void set(long gfn, long mfn, PageSize size) {
    p2m.set(new Gfn(gfn), new Mfn(mfn), size, P2mType.RAM_RW);
  }

  private void unset(long gfn, PageSize size) {
    p2m.set(new Gfn(gfn), Mfn.INVALID, size, P2mType.INVALID);
  }

  /** What a look-up says, to be compared. */
  private record Found(Mfn mfn, P2mType type, P2mAccess access, int order) {
    static Found of(P2mLookup lookup) {
      return new Found(lookup.mfn(), lookup.type(), lookup.access(), lookup.order());
    }
  }

  private Found lookup(long gfn) {
    return Found.of(p2m.lookup(new Gfn(gfn)));
  }

  private static Found ram(long mfn, int order) {
    return new Found(new Mfn(mfn), P2mType.RAM_RW, P2mAccess.RWX, order);
  }

  private static Found hole(int order) {
    return new Found(Mfn.INVALID, P2mType.MMIO_DM, P2mAccess.N, order);
  }

  private String digest() {
    return new StateDigest().put(memory).put(pool).put(p2m).finish();
  }

  @Test
  void newTable_mapsNothing() {
    assertThat(lookup(0)).isEqualTo(hole(27));
    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(0));
    assertThat(p2m.tables()).isEqualTo(1);
    assertThat(p2m.nextRun(new Gfn(0))).isEmpty();
  }

  @Test
  void leaf_isFoundWithItsOrder() {
    set(0x8_0000, 0x4_0000, PageSize.SIZE_1G);
    set(0x400, 0x2200, PageSize.SIZE_2M);
    set(5, 0x1234, PageSize.SIZE_4K);

    assertThat(lookup(0x8_0123)).isEqualTo(ram(0x4_0123, 18));
    assertThat(lookup(0x5ff)).isEqualTo(ram(0x23ff, 9));
    assertThat(lookup(5)).isEqualTo(ram(0x1234, 0));
    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(0xb_ffff));
    assertThat(p2m.tables()).isEqualTo(4);
  }

  @Test
  void lookup_ofAHole_saysHowLargeItIs() {
    set(0x8_0000, 0x4_0000, PageSize.SIZE_1G);
    set(5, 0x1234, PageSize.SIZE_4K);

    assertThat(lookup(6)).isEqualTo(hole(0));
    assertThat(lookup(0x3000)).isEqualTo(hole(9));
    assertThat(lookup(0x4_0000)).isEqualTo(hole(18));
  }

  @Test
  void lookup_aboveTheHighestGuestFrame_saysHowLargeTheRegionAboveItIs() {
    set(0x1_2345, 0x1234, PageSize.SIZE_4K);

    assertThat(lookup(0x1_2346)).isEqualTo(hole(0));
    assertThat(lookup(0x1_2400)).isEqualTo(hole(9));
    assertThat(lookup(0x4_0000)).isEqualTo(hole(18));
    assertThat(lookup(1L << 30)).isEqualTo(hole(27));
    assertThat(lookup(-1)).isEqualTo(hole(27));
    assertThat(lookup(Long.MIN_VALUE)).isEqualTo(hole(27));
  }

  @Test
  void part_ofA1GibLeaf_splitsItTwice() {
    set(0, 0x4_0000, PageSize.SIZE_1G);
    long tables = p2m.tables();

    set(0x1001, 0x777, PageSize.SIZE_4K);

    assertThat(p2m.tables()).isEqualTo(tables + 2);
    assertThat(p2m.counters().splits()).isEqualTo(2);
    assertThat(lookup(0x1000)).isEqualTo(ram(0x4_1000, 0));
    assertThat(lookup(0x1001)).isEqualTo(ram(0x777, 0));
    assertThat(lookup(0x11ff)).isEqualTo(ram(0x4_11ff, 0));
    assertThat(lookup(0x1200)).isEqualTo(ram(0x4_1200, 9));
    assertThat(lookup(0x3_ffff)).isEqualTo(ram(0x7_ffff, 9));
  }

  @Test
  void leaves_thatWouldMakeALargerOne_stayAsTheyAre() {
    for (long i = 0; i < 512; i++) {
      set(i, 0x200 + i, PageSize.SIZE_4K);
    }

    assertThat(lookup(0)).isEqualTo(ram(0x200, 0));
  }

  @Test
  void largerLeaf_overASubtree_freesItsTables() {
    long tables = p2m.tables();
    set(0x200, 0x2200, PageSize.SIZE_2M);
    set(0x3, 0x1234, PageSize.SIZE_4K);
    set(0x403, 0x1234, PageSize.SIZE_4K);
    long free = pool.freePages();

    set(0, 0x4_0000, PageSize.SIZE_1G);

    assertThat(p2m.tables()).isEqualTo(tables + 1);
    assertThat(pool.freePages()).isEqualTo(free + 3);
    assertThat(lookup(0x403)).isEqualTo(ram(0x4_0403, 18));
  }

  @Test
  void unmapping_leavesAnEmptyEntryAndTheTable() {
    set(5, 0x1234, PageSize.SIZE_4K);
    List<P2mStep> steps = p2m.explain(new Gfn(5));
    long tables = p2m.tables();

    unset(5, PageSize.SIZE_4K);

    assertThat(memory.readWord(steps.getLast().entryAddress().value())).isEqualTo(P2mEntry.EMPTY);
    assertThat(lookup(5)).isEqualTo(hole(0));
    assertThat(p2m.tables()).isEqualTo(tables);
    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(5));
  }

  @Test
  void unmapping_whatIsNotMapped_takesNoTables() {
    unset(5, PageSize.SIZE_4K);

    assertThat(p2m.tables()).isEqualTo(1);
    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(0));
  }

  @Test
  void hole_setAsMmioDm_storesNothingButRaisesTheHighestGuestFrame() {
    p2m.set(new Gfn(9), Mfn.INVALID, PageSize.SIZE_4K, P2mType.MMIO_DM);

    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(9));
    assertThat(p2m.tables()).isEqualTo(1);
  }

  @Test
  void set_misalignedOrOutOfReach_isEinvalAndChangesNothing() {
    String before = digest();

    assertRefused(Errno.EINVAL, () -> set(1, 0x200, PageSize.SIZE_2M));
    assertRefused(Errno.EINVAL, () -> set(0x200, 0x201, PageSize.SIZE_2M));
    assertRefused(Errno.EINVAL, () -> set(1L << 36, 0x201, PageSize.SIZE_4K));
    assertRefused(Errno.EINVAL, () -> set(-512, 0x200, PageSize.SIZE_2M));
    assertRefused(Errno.EINVAL, () -> set(5, 1L << 40, PageSize.SIZE_4K));

    assertThat(digest()).isEqualTo(before);
  }

  @Test
  void set_withAnExhaustedPool_isEnomemAndChangesNothing() {
    set(0, 0x4_0000, PageSize.SIZE_1G);
    pool.resize(pool.usedPages() + 1);
    String before = digest();

    assertRefused(Errno.ENOMEM, () -> set(5, 0x1234, PageSize.SIZE_4K));
    assertRefused(Errno.ENOMEM, () -> set(1L << 35, 0x1234, PageSize.SIZE_4K));

    assertThat(digest()).isEqualTo(before);
    set(0x200, 0x4_0400, PageSize.SIZE_2M);
  }

  @Test
  void run_isDecomposedGreedily() {
    p2m.setRun(new Gfn(0x1ff), new Mfn(0x3ff), 1 + 1024 + 2, P2mType.RAM_RW);

    assertThat(lookup(0x1ff)).isEqualTo(ram(0x3ff, 0));
    assertThat(lookup(0x200)).isEqualTo(ram(0x400, 9));
    assertThat(lookup(0x400)).isEqualTo(ram(0x600, 9));
    assertThat(lookup(0x601)).isEqualTo(ram(0x801, 0));
    assertThat(lookup(0x602).type()).isEqualTo(P2mType.MMIO_DM);
  }

  @Test
  void run_whoseFramesAreNotAlignedAlike_isAllSmall() {
    p2m.setRun(new Gfn(0x200), new Mfn(0x301), 512, P2mType.RAM_RW);

    assertThat(lookup(0x200)).isEqualTo(ram(0x301, 0));
    assertThat(lookup(0x3ff)).isEqualTo(ram(0x500, 0));
  }

  @Test
  void run_thatFailsInTheMiddle_keepsWhatFitted() {
    p2m.set(new Gfn(0), Mfn.INVALID, PageSize.SIZE_4K, P2mType.RAM_PAGED);
    pool.resize(pool.usedPages());

    assertRefused(
        Errno.ENOMEM, () -> p2m.setRun(new Gfn(0x1fe), new Mfn(0x501), 4, P2mType.RAM_RW));

    assertThat(lookup(0x1fe)).isEqualTo(ram(0x501, 0));
    assertThat(lookup(0x1ff)).isEqualTo(ram(0x502, 0));
    assertThat(lookup(0x200).type()).isEqualTo(P2mType.MMIO_DM);
  }

  @Test
  void explain_stepsToTheLeaf() {
    set(0x403, 0x1234, PageSize.SIZE_4K);

    List<P2mStep> steps = p2m.explain(new Gfn(0x403));

    assertThat(steps).extracting(P2mStep::level).containsExactly(4, 3, 2, 1);
    assertThat(steps)
        .extracting(P2mStep::verdict)
        .containsExactly(Verdict.NEXT, Verdict.NEXT, Verdict.NEXT, Verdict.LEAF);
    assertThat(steps.getFirst().table().value()).isEqualTo(p2m.root());
    assertThat(steps.getLast().entryAddress().value() & 0xfff).isEqualTo(3 * 8);
    assertThat(steps.getLast().fields()).containsEntry("mfn", new Word(0x1234));
    assertThat(p2m.explain(new Gfn(0x4_0000)).getLast().verdict()).isEqualTo(Verdict.EMPTY);
    assertThat(p2m.explain(new Gfn(1L << 36))).isEmpty();
  }

  @Test
  void explain_agreesWithLookup() {
    set(0, 0x4_0000, PageSize.SIZE_1G);
    set(0x12_3456, 0x777, PageSize.SIZE_4K);
    set(0x3, 0x888, PageSize.SIZE_4K);

    for (long gfn : new long[] {0, 3, 4, 0x200, 0x3_ffff, 0x12_3456, 0x12_3457, 0x5_0000}) {
      P2mStep last = p2m.explain(new Gfn(gfn)).getLast();
      Found found = lookup(gfn);
      boolean leaf = last.verdict() == Verdict.LEAF;
      assertThat(leaf).isEqualTo(found.type() == P2mType.RAM_RW);
      assertThat((last.level() - 1) * 9).isEqualTo(found.order());
      if (leaf) {
        assertThat(P2mEntry.frameWithin(last.raw().value(), last.level(), gfn))
            .isEqualTo(found.mfn());
      }
    }
  }

  @Test
  void runs_areAsLongAsOrderTypeAndFramesAgree() {
    set(0, 0x200, PageSize.SIZE_2M);
    set(0x200, 0x400, PageSize.SIZE_2M);
    p2m.setPages(new Gfn(0x400), new Mfn(0x600), 700, P2mType.RAM_RW);
    p2m.set(new Gfn(0x402), new Mfn(0x602), PageSize.SIZE_4K, P2mType.RAM_RO);

    List<P2mRun> runs = new ArrayList<>();
    long from = 0;
    while (p2m.nextRun(new Gfn(from)).isPresent()) {
      P2mRun run = p2m.nextRun(new Gfn(from)).get();
      runs.add(run);
      from = run.gfn().value() + (run.count() << run.order());
    }

    assertThat(runs)
        .containsExactly(
            new P2mRun(new Gfn(0), new Mfn(0x200), 9, P2mType.RAM_RW, P2mAccess.RWX, 2),
            new P2mRun(new Gfn(0x400), new Mfn(0x600), 0, P2mType.RAM_RW, P2mAccess.RWX, 2),
            new P2mRun(new Gfn(0x402), new Mfn(0x602), 0, P2mType.RAM_RO, P2mAccess.RWX, 1),
            new P2mRun(new Gfn(0x403), new Mfn(0x603), 0, P2mType.RAM_RW, P2mAccess.RWX, 697));
    assertThat(p2m.nextRun(new Gfn(0x5)).orElseThrow().gfn()).isEqualTo(new Gfn(0));
  }

  @Test
  void relinquish_goesTableByTableUntilOnlyTheRootIsLeft() {
    set(5, 0x1234, PageSize.SIZE_4K);
    set(0x205, 0x1234, PageSize.SIZE_4K);
    set(1L << 30, 0x1234, PageSize.SIZE_4K);
    long tables = p2m.tables();

    int steps = 1;
    while (!p2m.relinquish(1)) {
      steps++;
    }

    assertThat(steps).isEqualTo(tables - 1);
    assertThat(p2m.tables()).isEqualTo(1);
    assertThat(pool.usedPages()).isEqualTo(1);
    assertThat(p2m.nextRun(new Gfn(0))).isEmpty();
  }

  @Test
  void tableFrames_areAllOfThem() {
    set(5, 0x1234, PageSize.SIZE_4K);
    set(0x4_0000, 0x4_0000, PageSize.SIZE_1G);

    assertThat(p2m.tableFrames()).hasSize(4).doesNotHaveDuplicates();
    assertThat(p2m.tableFrames().getFirst().maddr()).isEqualTo(p2m.root());
  }

  @Test
  void updates_areCountedByKindAndOutcome() {
    set(0, 0x4_0000, PageSize.SIZE_1G);
    p2m.changeType(new Gfn(5), P2mType.RAM_RW, P2mType.RAM_RO);
    unset(6, PageSize.SIZE_4K);
    assertRefused(Errno.EINVAL, () -> set(1, 0x200, PageSize.SIZE_2M));
    assertRefused(Errno.EBUSY, () -> p2m.changeType(new Gfn(5), P2mType.RAM_RW, P2mType.RAM_RO));

    P2mUpdates updates = p2m.counters().updates();

    assertThat(updates.done(P2mUpdate.MAP)).isEqualTo(1);
    assertThat(updates.done(P2mUpdate.UNMAP)).isEqualTo(1);
    assertThat(updates.done(P2mUpdate.CHANGE_TYPE)).isEqualTo(1);
    assertThat(updates.done(P2mUpdate.SPLIT)).isEqualTo(2);
    assertThat(updates.refused(P2mUpdate.MAP)).containsExactly(Map.entry(Errno.EINVAL, 1L));
    assertThat(updates.refused(P2mUpdate.CHANGE_TYPE)).containsExactly(Map.entry(Errno.EBUSY, 1L));
  }

  @Test
  void eptp_saysFourLevelsWriteBackWithAccessedAndDirtyBits() {
    assertThat(p2m.eptp()).isEqualTo(p2m.root() | 0x5e);
  }

  @Test
  void digest_isTheSameForTheSameState() {
    assertThat(SimulatedHost.digest(p2m)).isEqualTo(SimulatedHost.digest(p2m));
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
