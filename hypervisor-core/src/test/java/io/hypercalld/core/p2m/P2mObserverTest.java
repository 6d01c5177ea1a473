package io.hypercalld.core.p2m;

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

/** Who observes a P2M hears of what changes for devices, and may refuse it. */
class P2mObserverTest {
  private final MappedTable table = new MappedTable();

  @AfterEach
  void release() {
    table.close();
  }

  private void unset(long gfn, PageSize size) {
    table.p2m.set(new Gfn(gfn), Mfn.INVALID, size, P2mType.INVALID);
  }

  @Test
  void observer_hearsOfFramesAndPermissionsThatChange() {
    List<P2mChange> heard = new ArrayList<>();
    table.p2m.announcements().observe(heard::add);

    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    table.ram(0x200, 0x400, PageSize.SIZE_2M);
    table.p2m.set(new Gfn(0x203), new Mfn(0x403), PageSize.SIZE_4K, P2mType.RAM_LOGDIRTY);
    table.p2m.set(new Gfn(0x203), new Mfn(0x403), PageSize.SIZE_4K, P2mType.RAM_RO);
    table.p2m.set(new Gfn(0x203), new Mfn(0x403), PageSize.SIZE_4K, P2mType.IOREQ_SERVER);
    unset(0x203, PageSize.SIZE_4K);
    unset(0x200, PageSize.SIZE_2M);

    assertThat(heard)
        .containsExactly(
            change(0x200, PageSize.SIZE_2M, 0x400, DmaPermission.READ_WRITE, false),
            change(0x203, PageSize.SIZE_4K, 0x403, DmaPermission.READ, true),
            change(0x203, PageSize.SIZE_4K, -1, DmaPermission.NONE, true),
            // What a server claims is present: whoever walks the table itself may have read it.
            change(0x203, PageSize.SIZE_4K, -1, DmaPermission.NONE, true),
            change(0x200, PageSize.SIZE_2M, -1, DmaPermission.NONE, true));
  }

  private static P2mChange change(
      long gfn, PageSize size, long mfn, DmaPermission permission, boolean replaces) {
    return new P2mChange(new Gfn(gfn), new Mfn(mfn), size.frames(), permission, replaces);
  }

  @Test
  void observerThatRefuses_findsEverythingAsItWasAfterwards() {
    table.ram(0, 0x4_0000, PageSize.SIZE_1G);
    table.ram(0x4_0003, 0x1234, PageSize.SIZE_4K);
    P2mObserver refusing =
        change -> {
          throw Refusal.of(Errno.ENOMEM, "no room");
        };
    table.p2m.announcements().observe(refusing);
    String before = table.digest();

    assertRefused(Errno.ENOMEM, () -> table.ram(5, 0x777, PageSize.SIZE_4K));
    assertRefused(Errno.ENOMEM, () -> unset(0x1200, PageSize.SIZE_2M));
    assertRefused(Errno.ENOMEM, () -> table.ram(0x4_0000, 0x4_0000, PageSize.SIZE_1G));
    assertRefused(Errno.ENOMEM, () -> table.ram(0x4_0003, 0x1235, PageSize.SIZE_4K));
    assertRefused(Errno.ENOMEM, () -> table.ram(1L << 30, 0x1235, PageSize.SIZE_4K));

    assertThat(table.digest()).isEqualTo(before);
    table.p2m.announcements().forget(refusing);
    table.ram(5, 0x777, PageSize.SIZE_4K);
  }

  @Test
  void observer_findsTheTableAlreadyChanged() {
    List<P2mLookup> seen = new ArrayList<>();
    table.p2m.announcements().observe(change -> seen.add(table.p2m.lookup(change.gfn())));

    table.p2m.setRun(new Gfn(0x1ff), new Mfn(0x3ff), 513, P2mType.RAM_RW);

    assertThat(seen).extracting(P2mLookup::mfn).containsExactly(new Mfn(0x3ff), new Mfn(0x400));
    assertThat(seen).extracting(P2mLookup::order).containsExactly(0, 9);
    assertThat(seen).extracting(P2mLookup::type).containsOnly(P2mType.RAM_RW);
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
