package io.hypercalld.core.p2m;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SyncHookTest {
  private final MappedTable table = new MappedTable();
  private final P2mTable p2m = table.p2m;
  private final List<P2mChange> heard = new ArrayList<>();

  SyncHookTest() {
    p2m.announcements().observe(heard::add);
  }

  @AfterEach
  void release() {
    assertThat(p2m.violations()).isEmpty();
    table.close();
  }

  private static P2mChange change(long gfn, long mfn, long frames, DmaPermission permission) {
    return new P2mChange(new Gfn(gfn), new Mfn(mfn), frames, permission, false);
  }

  @Test
  void run_isAnnouncedOnceForEachTable() {
    p2m.setPages(new Gfn(0x1fe), new Mfn(0x800), 4, P2mType.RAM_RW);

    assertThat(heard)
        .containsExactly(
            change(0x1fe, 0x800, 2, DmaPermission.READ_WRITE),
            change(0x200, 0x802, 2, DmaPermission.READ_WRITE));
  }

  @Test
  void runOverWhatIsPartlyMapped_isAnnouncedByPartsThatChangeAlike() {
    p2m.setPages(new Gfn(2), new Mfn(0x802), 2, P2mType.RAM_RW);
    p2m.setPages(new Gfn(4), new Mfn(0x900), 2, P2mType.RAM_RW);
    heard.clear();

    p2m.setPages(new Gfn(0), new Mfn(0x800), 8, P2mType.RAM_RW);

    assertThat(heard)
        .containsExactly(
            change(0, 0x800, 2, DmaPermission.READ_WRITE),
            new P2mChange(new Gfn(4), new Mfn(0x804), 2, DmaPermission.READ_WRITE, true),
            change(6, 0x806, 2, DmaPermission.READ_WRITE));
  }

  @Test
  void runOfWhichALaterPartIsRefused_keepsTheEarlierOne() {
    p2m.setPages(new Gfn(4), new Mfn(0x900), 2, P2mType.RAM_RW);
    p2m.announcements()
        .observe(
            change -> {
              if (change.replacesMapping()) {
                throw Refusal.of(Errno.ENOMEM, "no room");
              }
            });

    assertThatThrownBy(() -> p2m.setPages(new Gfn(0), new Mfn(0x800), 8, P2mType.RAM_RW))
        .isInstanceOf(Refusal.class);

    assertThat(p2m.lookup(new Gfn(3)).mfn()).isEqualTo(new Mfn(0x803));
    assertThat(p2m.lookup(new Gfn(4)).mfn()).isEqualTo(new Mfn(0x900));
    assertThat(table.type(6)).isEqualTo(P2mType.MMIO_DM);
    assertThat(p2m.maxMappedGfn()).isEqualTo(new Gfn(5));
    assertThat(p2m.entries(P2mType.RAM_RW)).isEqualTo(6);
  }

  @Test
  void changeDuringAHookThatIsOff_isRememberedAndNotAnnounced() {
    p2m.announcements().setHooks(EnumSet.complementOf(EnumSet.of(SyncHook.EXCHANGE)));

    p2m.during(SyncHook.EXCHANGE, () -> table.ram(0, 0x200, PageSize.SIZE_2M));

    assertThat(heard).isEmpty();
    assertThat(p2m.announcements().missedAt(new Gfn(0x1ff))).contains(SyncHook.EXCHANGE);
    assertThat(p2m.announcements().missedAt(new Gfn(0x200))).isEmpty();
    assertThat(table.type(5)).isEqualTo(P2mType.RAM_RW);
  }

  @Test
  void announcedChange_endsTheMemoryOfAMissedOneThere() {
    p2m.announcements().setHooks(Set.of());
    p2m.during(SyncHook.PHYSMAP_ADD, () -> table.ram(0, 0x200, PageSize.SIZE_2M));

    table.set(5, 0x999, P2mType.RAM_RW);

    assertThat(heard)
        .containsExactly(
            new P2mChange(new Gfn(5), new Mfn(0x999), 1, DmaPermission.READ_WRITE, true));
    assertThat(p2m.announcements().missedAt(new Gfn(4))).contains(SyncHook.PHYSMAP_ADD);
    assertThat(p2m.announcements().missedAt(new Gfn(5))).isEmpty();
    assertThat(p2m.announcements().missedAt(new Gfn(6))).contains(SyncHook.PHYSMAP_ADD);
  }

  @Test
  void changeDuringAHookThatIsOn_isAnnounced() {
    p2m.announcements().setHooks(Set.of(SyncHook.ZAP));

    p2m.during(SyncHook.ZAP, () -> table.ram(0, 0x200, PageSize.SIZE_2M));

    assertThat(heard).hasSize(1);
    assertThat(p2m.announcements().missedAt(new Gfn(0))).isEmpty();
  }

  @Test
  void hookWithinAHook_isNoneOfItsOwn() {
    p2m.announcements().setHooks(Set.of(SyncHook.ZAP));

    p2m.during(
        SyncHook.BALLOON,
        () -> p2m.during(SyncHook.ZAP, () -> table.ram(0, 0x200, PageSize.SIZE_2M)));

    assertThat(p2m.announcements().missedAt(new Gfn(0))).contains(SyncHook.BALLOON);
    table.set(0x400, 0x1, P2mType.RAM_RW);
    assertThat(heard).hasSize(1);
  }

  @Test
  void changeThatIsRefused_endsItsHook() {
    p2m.announcements().setHooks(Set.of());

    assertThatThrownBy(() -> p2m.during(SyncHook.ZAP, () -> table.ram(1, 0x200, PageSize.SIZE_2M)))
        .isInstanceOf(Refusal.class);
    table.ram(0, 0x200, PageSize.SIZE_2M);

    assertThat(heard).hasSize(1);
  }

  @Test
  void missedChanges_arePartOfTheState() {
    table.ram(0, 0x200, PageSize.SIZE_2M);
    p2m.announcements().setHooks(Set.of());
    String before = table.digest();

    p2m.during(SyncHook.ZAP, () -> table.set(5, 0x999, P2mType.RAM_RW));
    p2m.during(SyncHook.ZAP, () -> table.set(5, 0x205, P2mType.RAM_RW));

    assertThat(table.digest()).isNotEqualTo(before);
    assertThat(SyncHook.PHYSMAP_ADD).hasToString("physmap-add");
  }
}
