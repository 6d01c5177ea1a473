package io.hypercalld.core.p2m;

import static io.hypercalld.core.p2m.P2mType.GRANT_MAP_RW;
import static io.hypercalld.core.p2m.P2mType.MMIO_DIRECT;
import static io.hypercalld.core.p2m.P2mType.RAM_LOGDIRTY;
import static io.hypercalld.core.p2m.P2mType.RAM_RO;
import static io.hypercalld.core.p2m.P2mType.RAM_RW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TypeRecalculationTest {
  private static final long GIB_FRAMES = PageSize.SIZE_1G.frames();

  private final MappedTable table = new MappedTable();
  private final P2mTable p2m = table.p2m;

  @AfterEach
  void release() {
    assertThat(p2m.violations()).isEmpty();
    table.close();
  }

  private void logDirty(long first, long frames) {
    p2m.types().changeRange(new Gfn(first), frames, RAM_RW, RAM_LOGDIRTY);
  }

  private void logClean(long first, long frames) {
    p2m.types().changeRange(new Gfn(first), frames, RAM_LOGDIRTY, RAM_RW);
  }

  @Test
  void changeAll_marksThePresentRootEntriesAndNothingElse() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.ram(1L << 27, 0x400, PageSize.SIZE_2M);
    table.ram(3L << 27, 0x600, PageSize.SIZE_2M);
    long leaf = table.raw(5);

    long writes = table.writes(() -> p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY));

    assertThat(writes).isEqualTo(3);
    assertThat(P2mEntry.EMT.getInt(table.raw(5, 4))).isEqualTo(7);
    assertThat(P2mEntry.RECALC.isSet(table.raw(5, 4))).isTrue();
    assertThat(table.raw(5)).isEqualTo(leaf);
    assertThat(p2m.types().isGloballyLogDirty()).isTrue();
    assertThat(table.writes(() -> p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY))).isZero();
  }

  @Test
  void lookup_underAMark_reportsTheNewTypeAndStoresNothing() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.set(0x400, 0x800, RAM_RO);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    String before = table.digest();

    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.order(5)).isEqualTo(9);
    assertThat(p2m.lookup(new Gfn(5)).mfn()).isEqualTo(new Mfn(0x205));
    assertThat(table.type(0x400)).isEqualTo(RAM_RO);
    assertThat(p2m.nextRun(new Gfn(0)).orElseThrow().type()).isEqualTo(RAM_LOGDIRTY);

    assertThat(table.digest()).isEqualTo(before);
  }

  @Test
  void resolve_movesMarksToWhatIsNotTouchedAndRewritesWhatIs() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    table.ram(GIB_FRAMES, 0x600, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    assertThat(p2m.resolve(new Gfn(5))).isTrue();

    assertThat(P2mEntry.isMarked(table.raw(5, 4))).isFalse();
    assertThat(P2mEntry.isMarked(table.raw(5, 3))).isFalse();
    assertThat(P2mEntry.isMarked(table.raw(GIB_FRAMES, 3))).isTrue();
    assertThat(P2mEntry.isMarked(table.raw(0x200, 2))).isTrue();
    assertThat(P2mEntry.type(table.raw(0x200))).isEqualTo(RAM_RW);
    assertThat(Long.toHexString(table.raw(5))).isEqualTo("b8200000002001f5");
    assertThat(p2m.resolve(new Gfn(5))).isFalse();
    assertThat(p2m.counters().recalculations()).isEqualTo(1);
  }

  @Test
  void resolve_ofALeafOf4Kib_bringsItsWholeTableUpToDate() {
    p2m.setPages(new Gfn(0), new Mfn(0x200), 512, RAM_RW);
    table.set(7, 0x900, RAM_RO);
    table.set(8, 0x901, GRANT_MAP_RW);
    table.set(9, 0x902, MMIO_DIRECT);
    List<Long> others = List.of(table.raw(7), table.raw(8), table.raw(9));
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    long writes = table.writes(() -> assertThat(p2m.resolve(new Gfn(100))).isTrue());

    assertThat(writes).isEqualTo(1 + 1 + 1 + 1 + 512 + 1 + 512);
    assertThat(p2m.hasMarks()).isFalse();
    assertThat(P2mEntry.type(table.raw(511))).isEqualTo(RAM_LOGDIRTY);
    assertThat(List.of(table.raw(7), table.raw(8), table.raw(9))).isEqualTo(others);
    assertThat(p2m.entries(RAM_LOGDIRTY, 0)).isEqualTo(509);
  }

  @Test
  void resolve_whereNothingIsMapped_endsTheWalk() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    assertThat(p2m.resolve(new Gfn(1L << 30))).isFalse();
    assertThat(p2m.resolve(new Gfn(GIB_FRAMES))).isTrue();
    assertThat(p2m.resolve(new Gfn(1L << 36))).isFalse();
    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);
  }

  @Test
  void set_underAMark_resolvesFirst() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    p2m.changeType(new Gfn(5), RAM_LOGDIRTY, RAM_RW);

    assertThat(table.type(5)).isEqualTo(RAM_RW);
    assertThat(table.type(4)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.order(4)).isZero();
    assertThat(p2m.entries(RAM_LOGDIRTY, 0)).isEqualTo(511);
    assertThat(p2m.entries(RAM_RW)).isEqualTo(1);
    assertThat(p2m.hasMarks()).isFalse();
  }

  @Test
  void markedAgain_whatWasWrittenIsWatchedAgain() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    p2m.changeType(new Gfn(5), RAM_LOGDIRTY, RAM_RW);

    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);
    p2m.types().changeAll(RAM_LOGDIRTY, RAM_RW);
    assertThat(table.type(5)).isEqualTo(RAM_RW);
    assertThat(table.type(4)).isEqualTo(RAM_RW);
    p2m.types().finishTypeChange(new Gfn(0), 512);
    assertThat(p2m.entries(RAM_RW, 0)).isEqualTo(512);
    assertThat(p2m.hasMarks()).isFalse();
  }

  @Test
  void changeType_ofAnotherType_isEbusyAndChangesNothing() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    String before = table.digest();

    assertRefused(Errno.EBUSY, () -> p2m.changeType(new Gfn(5), RAM_RW, RAM_RO));
    assertRefused(Errno.EBUSY, () -> p2m.changeType(new Gfn(0x400), RAM_RW, RAM_RO));

    assertThat(table.digest()).isEqualTo(before);
  }

  @Test
  void changeRange_splitsAtItsEdgesAndMarksAsHighAsItCan() {
    table.ram(0, 0, PageSize.SIZE_1G);
    table.ram(GIB_FRAMES, 0x4_0000, PageSize.SIZE_1G);
    long tables = p2m.tables();

    logDirty(0x201, 0x3_ffff);

    assertThat(p2m.tables()).isEqualTo(tables + 3);
    assertThat(table.order(0x201)).isZero();
    assertThat(P2mEntry.isMarked(table.raw(0x200))).isFalse();
    assertThat(P2mEntry.isMarked(table.raw(0x201))).isTrue();
    assertThat(P2mEntry.isMarked(table.raw(0x400))).isTrue();
    assertThat(table.order(0x400)).isEqualTo(9);
    assertThat(table.type(0x200)).isEqualTo(RAM_RW);
    assertThat(table.type(0x201)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x4_01ff)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x4_0200)).isEqualTo(RAM_RW);
    assertThat(p2m.types().logDirty(new Gfn(0x200), 2)).isEqualTo(Coverage.SOME);
  }

  @Test
  void changeRange_ofAlignedSuperpages_splitsNothing() {
    table.ram(0, 0, PageSize.SIZE_1G);
    table.ram(GIB_FRAMES, 0x4_0000, PageSize.SIZE_1G);

    long writes = table.writes(() -> logDirty(0, GIB_FRAMES));

    assertThat(writes).isEqualTo(1);
    assertThat(table.order(0)).isEqualTo(18);
    assertThat(table.type(0)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(GIB_FRAMES)).isEqualTo(RAM_RW);
  }

  @Test
  void changeRange_thatBeginsWithAHole_marksWhatFollows() {
    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    table.set(0x800, 0x900, RAM_RW);

    logDirty(0, 0x400);

    assertThat(table.type(0x200)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x800)).isEqualTo(RAM_RW);
  }

  @Test
  void changeRange_ofOnePage_changesItToo() {
    table.ram(0, 0x200, PageSize.SIZE_2M);

    logDirty(0x10, 1);

    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0xf)).isEqualTo(RAM_RW);
    assertThat(table.type(0x11)).isEqualTo(RAM_RW);
    logClean(0x10, 1);
    assertThat(table.type(0x10)).isEqualTo(RAM_RW);
  }

  @Test
  void changeRange_ofEverything_marksTheRoot() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.ram(0x200, 0x400, PageSize.SIZE_2M);

    logDirty(0, 0x10_0000);

    assertThat(P2mEntry.isMarked(table.raw(0, 4))).isTrue();
    assertThat(p2m.types().isGloballyLogDirty()).isFalse();
    assertThat(table.type(0x3ff)).isEqualTo(RAM_LOGDIRTY);
  }

  @Test
  void changeRange_beyondTheHighestGuestFrame_doesNothing() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    String before = table.digest();

    logDirty(0x200, 10);

    assertThat(table.digest()).isEqualTo(before);
  }

  @Test
  void changeRange_withoutPagesToSplit_isEnomemAndChangesNothing() {
    table.ram(0, 0, PageSize.SIZE_1G);
    table.ram(GIB_FRAMES, 0x4_0000, PageSize.SIZE_1G);
    table.pool.resize(table.pool.usedPages() + 2);
    String before = table.digest();

    assertRefused(Errno.ENOMEM, () -> logDirty(0x201, 0x3_ffff));

    assertThat(table.digest()).isEqualTo(before);
    logDirty(0x201, 0xff);
    assertThat(table.type(0x201)).isEqualTo(RAM_LOGDIRTY);
  }

  @Test
  void largeLeaf_ofWhichAPartIsWatched_isSplitWhenResolved() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    logDirty(0x10, 8);
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_RW);
    assertThat(table.order(0x10)).isEqualTo(9);
    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x18)).isEqualTo(RAM_RW);

    p2m.types().finishTypeChange(new Gfn(0), 0x400);

    assertThat(table.order(0x10)).isZero();
    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x17)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x18)).isEqualTo(RAM_RW);
    assertThat(table.order(0x200)).isEqualTo(9);
    assertThat(p2m.hasMarks()).isFalse();
  }

  @Test
  void resolve_withoutAPageToSplit_isEnomemAndCanBeTriedAgain() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    logDirty(0x10, 8);
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_RW);
    table.pool.resize(table.pool.usedPages());

    assertRefused(Errno.ENOMEM, () -> p2m.resolve(new Gfn(0x10)));

    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(p2m.violations()).isEmpty();
    table.pool.resize(table.pool.usedPages() + 1);
    assertThat(p2m.resolve(new Gfn(0x10))).isTrue();
    assertThat(table.order(0x10)).isZero();
  }

  @Test
  void pageWithoutAccess_isRecalculatedThoughItCannotBeMarked() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.changeAccess(new Gfn(5), P2mAccess.N);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);

    p2m.resolve(new Gfn(6));

    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);
    assertThat(P2mEntry.isMarked(table.raw(5))).isFalse();
    p2m.types().changeAll(RAM_LOGDIRTY, RAM_RW);
    assertThat(table.type(5)).isEqualTo(RAM_RW);
  }

  @Test
  void largeLeafWithoutAccess_ofWhichAPartIsWatched_isSplitOnTheWay() {
    p2m.set(new Gfn(0), new Mfn(0x200), PageSize.SIZE_2M, RAM_RW, P2mAccess.N);
    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    logDirty(0x10, 8);
    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x18)).isEqualTo(RAM_RW);
    p2m.set(new Gfn(0), new Mfn(0x200), PageSize.SIZE_2M, RAM_RW, P2mAccess.N);

    p2m.types().changeAll(RAM_RW, RAM_RW);
    p2m.resolve(new Gfn(0x200));

    assertThat(table.order(0x10)).isZero();
    assertThat(table.type(0x10)).isEqualTo(RAM_LOGDIRTY);
    assertThat(table.type(0x18)).isEqualTo(RAM_RW);
  }

  @Test
  void ioCapabilities_letTheGuestChooseHowToCacheOnceTouched() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    assertThat(P2mEntry.IPAT.isSet(table.raw(0))).isTrue();

    p2m.types().setIoCapabilities(true);
    assertThat(P2mEntry.RECALC.isSet(table.raw(0, 4))).isFalse();
    p2m.resolve(new Gfn(0));

    assertThat(P2mEntry.IPAT.isSet(table.raw(0))).isFalse();
    assertThat(P2mEntry.EMT.getInt(table.raw(0))).isEqualTo(6);
    assertThat(table.writes(() -> p2m.types().setIoCapabilities(true))).isZero();
  }

  @Test
  void marks_endWithTheTablesThatHoldThem() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    table.set(GIB_FRAMES, 0x900, RAM_RW);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    p2m.resolve(new Gfn(0));
    assertThat(p2m.hasMarks()).isTrue();

    table.ram(GIB_FRAMES, 0x4_0000, PageSize.SIZE_1G);

    assertThat(p2m.hasMarks()).isFalse();
    p2m.types().changeAll(RAM_LOGDIRTY, RAM_RW);
    p2m.resolve(new Gfn(0));
    while (!p2m.relinquish(1)) {
      assertThat(p2m.violations()).isEmpty();
    }
    assertThat(p2m.hasMarks()).isFalse();
    assertThat(p2m.entries(RAM_RW)).isZero();
  }

  @Test
  void finishTypeChange_leavesNothingToBeDone() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.setPages(new Gfn(0x7fe), new Mfn(0x800), 600, RAM_RW);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);

    p2m.types().finishTypeChange(new Gfn(0), Long.MAX_VALUE);

    assertThat(p2m.hasMarks()).isFalse();
    assertThat(p2m.entries(RAM_LOGDIRTY, 0)).isEqualTo(600);
    assertThat(p2m.entries(RAM_LOGDIRTY, 9)).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(P2mType.class)
  void onlyChangeableTypes_areChanged(P2mType type) {
    table.set(5, 0x1234, type);
    table.set(6, 0x1235, RAM_RW);
    P2mType before = table.type(5);

    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    p2m.resolve(new Gfn(6));

    assertThat(table.type(5)).isEqualTo(P2mType.CHANGEABLE.contains(type) ? RAM_LOGDIRTY : before);
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
