package io.hypercalld.core.state;

import static io.hypercalld.core.guest.GuestRequest.Operation.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import java.util.List;

/** Guests that read and write, where nobody restricts them and nothing is away. */
final class Touching {
  private static final int FEW = 8;

  private final Scene scene;

  Touching(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    Operation write = guest -> write(guest, scene.gfn(guest));
    return List.of(write, write, write, this::read);
  }

  /** The guest touches something that waits. */
  void demand(Guest guest) {
    Long gfn = guest.waiting.ceiling(scene.gfn());
    if (gfn != null) {
      scene.demand(guest, gfn);
    }
  }

  /**
   * The guest touches something that waits when no frame does: a page of zeros is taken from it for
   * that.
   */
  void sweep(Guest guest) {
    for (int i = 0; i < FEW && scene.cached(guest) > 0 && guest.waiting.size() > 1; i++) {
      scene.demand(guest, guest.waiting.first());
    }
    if (guest.waiting.isEmpty() || scene.cached(guest) > 0 || !scene.hasZeros(guest)) {
      return;
    }
    long gfn = guest.waiting.first();
    scene.touched.add(gfn);

    AccessOutcome outcome = scene.host.access(guest.id, GuestRequest.Operation.READ, gfn, 0);

    scene.settle(guest);
    assertThat(guest.has(gfn, MemoryModel.Kind.RAM)).as("%s", outcome).isTrue();
  }

  private boolean isPlain(Guest guest, long gfn) {
    return !guest.isAway(gfn)
        && !guest.accesses.containsKey(gfn)
        && scene.mayDemand(guest, gfn)
        && guest.mayUnshare(gfn, scene.room(guest));
  }

  void write(Guest guest, long gfn) {
    if (!isPlain(guest, gfn)) {
      return;
    }
    scene.took(guest.has(gfn, Kind.SHARED), Effect.UNSHARE);
    guest.unshare(gfn);
    long stamp = scene.newStamp();

    AccessOutcome outcome = scene.host.access(guest.id, WRITE, gfn, stamp);

    scene.settle(guest);
    Page page = guest.pages.get(gfn);
    if (page == null) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.EMULATED);
    } else if (page.kind() == Kind.CLAIMED && !guest.hasClaim) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.RETRY);
      scene.took(true, Effect.TRY_TO_WRITE_FOR_EVER);
    } else if (page.kind() == Kind.CLAIMED) {
      scene.servers.complete(guest.id, StateHost.request(WRITE, gfn, stamp), outcome);
      scene.took(true, Effect.WRITE_TO_A_SERVER);
    } else if (page.kind() == Kind.READ_ONLY) {
      assertThat(outcome.outcome()).isEqualTo(Verdict.DISCARDED);
      scene.took(true, Effect.DISCARD_A_WRITE);
    } else {
      assertThat(outcome.outcome()).isEqualTo(Verdict.DONE);
      scene.took(guest.isWatched, Effect.WRITE_WHILE_WATCHED);
      page.frame().stamp = stamp;
      guest.noteWritten(gfn);
    }
  }

  private void read(Guest guest) {
    long gfn = scene.gfn(guest);
    if (!isPlain(guest, gfn)) {
      return;
    }

    AccessOutcome outcome = scene.host.access(guest.id, GuestRequest.Operation.READ, gfn, 0);

    scene.settle(guest);
    Page page = guest.pages.get(gfn);
    assertThat(outcome.data()).contains(new Word(page == null ? -1 : page.frame().stamp));
  }
}
