package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.state.MemoryModel.Frame;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A pager that takes pages away and brings them back: {@code paging_op}. */
final class PagingOut {
  private static final int NOMINATE = 0;
  private static final int EVICT = 1;
  private static final int PREPARE = 2;
  private static final int ENODEV = -19;
  private static final int EBUSY = -16;
  private static final int ENOMEM = -12;

  private final Scene scene;

  PagingOut(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(
        this::nominate, this::nominate, this::evict, this::evict, this::prepare, this::touch);
  }

  private void nominate(Guest guest) {
    long gfn = scene.gfn(guest);
    Page page = guest.pages.get(gfn);

    long ret = scene.host.paging(guest.id, NOMINATE, gfn);

    if (guest.role != Role.PAGED) {
      assertThat(ret).isEqualTo(ENODEV);
    } else if (page != null && page.kind() == Kind.RAM && page.frame().references == 0) {
      assertThat(ret).isZero();
      guest.pages.put(gfn, new Page(Kind.NOMINATED, page.frame()));
      scene.took(true, Effect.NOMINATE_TO_EVICT);
    } else {
      assertThat(ret).isEqualTo(EBUSY);
    }
  }

  private static Optional<Long> nominated(Guest guest) {
    return guest.pages.entrySet().stream()
        .filter(entry -> entry.getValue().kind() == Kind.NOMINATED)
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private void evict(Guest guest) {
    Optional<Long> gfn = nominated(guest);
    if (gfn.isEmpty()) {
      return;
    }
    Frame frame = guest.unmap(gfn.get()).frame();

    long ret = scene.host.paging(guest.id, EVICT, gfn.get());

    if (frame.references > 0) {
      assertThat(ret).isEqualTo(EBUSY);
      guest.pages.put(gfn.get(), new Page(Kind.NOMINATED, frame));
    } else {
      assertThat(ret).isZero();
      guest.pagedOut.put(gfn.get(), frame.stamp);
      frame.release();
      scene.took(true, Effect.EVICT);
    }
  }

  private void prepare(Guest guest) {
    Map.Entry<Long, Long> away = guest.pagedOut.firstEntry();
    if (away == null) {
      return;
    }
    boolean room = scene.room(guest) > 0;

    long ret = scene.host.pageIn(guest.id, away.getKey(), away.getValue());

    assertThat(ret).isEqualTo(room ? 0 : ENOMEM);
    if (room) {
      broughtBack(guest, away.getKey(), new Frame(guest, away.getValue()));
      scene.took(true, Effect.PAGE_IN);
    }
  }

  private static void broughtBack(Guest guest, long gfn, Frame frame) {
    guest.pagedOut.remove(gfn);
    guest.pages.put(gfn, new Page(Kind.RAM, frame));
  }

  /** A vCPU touches what is away or about to be, waits for the pager, and tries again. */
  private void touch(Guest guest) {
    Optional<Long> leaving = nominated(guest);
    if (leaving.isEmpty() && (guest.pagedOut.isEmpty() || scene.room(guest) == 0)) {
      return;
    }
    long gfn = leaving.orElseGet(guest.pagedOut::firstKey);
    assertThat(scene.host.access(guest.id, GuestRequest.Operation.READ, gfn, 0).outcome())
        .isEqualTo(Verdict.PENDING);
    assertThat(scene.host.lookup(guest.id, gfn).type()).isEqualTo(P2mType.RAM_PAGING_IN);

    bringBack(guest, gfn);

    Page page = Objects.requireNonNull(guest.pages.get(gfn));
    assertThat(scene.host.access(guest.id, GuestRequest.Operation.READ, gfn, 0).data())
        .contains(new Word(page.frame().stamp));
    scene.took(true, Effect.WAIT_FOR_THE_PAGER);
  }

  /** The pager answers a request for a page; without room the guest gives one up for it. */
  void bringBack(Guest guest, long gfn) {
    assertThat(scene.host.lookup(guest.id, gfn).type()).isEqualTo(P2mType.RAM_PAGING_IN);
    if (guest.has(gfn, Kind.NOMINATED)) {
      assertThat(scene.host.paging(guest.id, PREPARE, gfn)).isZero();
      broughtBack(guest, gfn, guest.unmap(gfn).frame());
    } else {
      giveUpOne(guest);
      long contents = Objects.requireNonNull(guest.pagedOut.get(gfn));
      assertThat(scene.host.pageIn(guest.id, gfn, contents)).isZero();
      broughtBack(guest, gfn, new Frame(guest, contents));
    }
    scene.host.answer(guest.id);
  }

  private void giveUpOne(Guest guest) {
    if (scene.room(guest) == 0) {
      long gfn =
          guest.pages.entrySet().stream()
              .filter(entry -> entry.getValue().kind() == Kind.RAM)
              .filter(entry -> entry.getValue().frame().references == 0)
              .map(Map.Entry::getKey)
              .findFirst()
              .orElseThrow();
      assertThat(scene.host.decrease(guest.id, gfn)).isEqualTo(1);
      guest.unmap(gfn).frame().release();
    }
  }
}
