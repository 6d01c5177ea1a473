package io.hypercalld.core.p2m;

import static io.hypercalld.core.p2m.P2mType.IOREQ_SERVER;
import static io.hypercalld.core.p2m.P2mType.RAM_LOGDIRTY;
import static io.hypercalld.core.p2m.P2mType.RAM_RW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages that servers claim, as the P2M knows them. */
class IoreqPagesTest {
  private final MappedTable table = new MappedTable();
  private final P2mTable p2m = table.p2m;

  @AfterEach
  void release() {
    assertThat(p2m.violations()).isEmpty();
    table.close();
  }

  @Test
  void ioreqServerPages_stayWhileTheyAreClaimedAndGoBackAfterwards() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    p2m.changeType(new Gfn(5), RAM_RW, IOREQ_SERVER);
    assertThat(table.raw(5) & 7).isEqualTo(1);
    p2m.types().changeAll(RAM_RW, RAM_RW);
    p2m.types().finishTypeChange(new Gfn(0), 512);
    assertThat(table.type(5)).isEqualTo(IOREQ_SERVER);

    p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
    p2m.types().changeAll(IOREQ_SERVER, RAM_RW);

    assertThat(table.type(5)).isEqualTo(RAM_RW);
    assertThat(p2m.entries(IOREQ_SERVER)).isEqualTo(1);
    p2m.types().finishTypeChange(new Gfn(0), 512);
    assertThat(p2m.entries(IOREQ_SERVER)).isZero();
  }

  @Test
  void ioreqServerPages_releasedDuringAMigration_doNotEndIt() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().changeAll(RAM_RW, RAM_LOGDIRTY);
    p2m.changeType(new Gfn(5), RAM_LOGDIRTY, RAM_RW);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    p2m.changeType(new Gfn(5), RAM_RW, IOREQ_SERVER);

    p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
    p2m.types().changeAll(IOREQ_SERVER, RAM_RW);

    assertThat(p2m.types().isGloballyLogDirty()).isTrue();
    assertThat(table.type(5)).isEqualTo(RAM_LOGDIRTY);
  }

  @Test
  void ioreqServerPage_thatGoesBack_isAnnouncedWhenItDoes() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    p2m.changeType(new Gfn(5), RAM_RW, IOREQ_SERVER);
    List<P2mChange> heard = new ArrayList<>();
    p2m.announcements().observe(heard::add);

    p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
    p2m.types().changeAll(IOREQ_SERVER, RAM_RW);
    assertThat(heard).isEmpty();
    p2m.resolve(new Gfn(7));

    assertThat(heard)
        .containsExactly(
            new P2mChange(new Gfn(5), new Mfn(0x205), 1, DmaPermission.READ_WRITE, true));
  }

  @Test
  void ioreqServerPage_thatAnObserverRefuses_waitsForTheNextTime() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    p2m.changeType(new Gfn(5), RAM_RW, IOREQ_SERVER);
    P2mObserver refusing =
        change -> {
          throw Refusal.of(Errno.ENOMEM, "no room");
        };
    p2m.announcements().observe(refusing);
    p2m.types().setIoreq(P2mType.IOREQ_SERVER, IoreqRule.UNCLAIMED);
    p2m.types().changeAll(IOREQ_SERVER, RAM_RW);

    assertRefused(Errno.ENOMEM, () -> p2m.resolve(new Gfn(5)));

    assertThat(P2mEntry.type(table.raw(5))).isEqualTo(IOREQ_SERVER);
    p2m.announcements().forget(refusing);
    assertThat(p2m.resolve(new Gfn(5))).isTrue();
    assertThat(P2mEntry.type(table.raw(5))).isEqualTo(RAM_RW);
  }

  @Test
  void largerLeaf_overPagesOfAServer_takesThemOutOfTheCount() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.changeType(new Gfn(5), RAM_RW, IOREQ_SERVER);
    p2m.changeType(new Gfn(6), RAM_RW, IOREQ_SERVER);

    table.ram(0, 0x200, PageSize.SIZE_2M);

    assertThat(p2m.entries(IOREQ_SERVER)).isZero();
    assertThat(p2m.entries(RAM_RW, 9)).isEqualTo(1);
    assertThat(p2m.entries(RAM_RW, 0)).isZero();
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
