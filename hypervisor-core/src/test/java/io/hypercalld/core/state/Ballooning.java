package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import java.util.List;
import java.util.stream.LongStream;

/** Pages that come and go: {@code populate_physmap}, {@code decrease_reservation}, removal. */
final class Ballooning {
  private static final int MOST = 24;
  private static final long LARGE = 512;

  private final Scene scene;

  Ballooning(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(
        this::populate, this::populate, this::populateLarge, this::decrease, this::remove);
  }

  private void populate(Guest guest) {
    int count = 1 + scene.random.nextInt(MOST);
    long first = scene.random.nextInt(Scene.GFNS - count);
    long[] gfns =
        scene.random.nextBoolean()
            ? scene.random.longs(count, 0, Scene.GFNS).toArray()
            : LongStream.range(first, first + count).toArray();
    // What is mapped over is unshared first, which takes frames, too.
    if (LongStream.of(gfns).anyMatch(gfn -> guest.has(gfn, Kind.SHARED))) {
      return;
    }
    LongStream.of(gfns).forEach(scene.touched::add);
    long room = scene.room(guest);

    long done = scene.host.populate(guest.id, 0, SimulatedHost.frames(gfns));

    assertThat(done).isEqualTo(Math.min(count, room));
    scene.took(done > 0, Effect.POPULATE);
    scene.took(done < count, Effect.POPULATE_UP_TO_THE_LIMIT);
    LongStream.of(gfns).limit(done).forEach(guest::populate);
  }

  void populateLarge(Guest guest) {
    long first = scene.random.nextInt((int) (Scene.GFNS / LARGE)) * LARGE;
    if (guest.role == MemoryModel.Role.SHARING) {
      return;
    }
    long room = scene.room(guest);

    long done = scene.host.populate(guest.id, 9, SimulatedHost.frames(first));

    assertThat(done).isEqualTo(room >= LARGE ? 1 : 0);
    scene.took(done > 0, Effect.POPULATE_2_MIB);
    LongStream.range(first, first + LARGE * done).forEach(guest::populate);
  }

  private void decrease(Guest guest) {
    long gfn = scene.gfn(guest);
    boolean stuck = !guest.mayUnshare(gfn, scene.room(guest));

    long done = scene.host.decrease(guest.id, gfn);

    boolean gone = !stuck && (guest.pages.containsKey(gfn) || guest.waiting.remove(gfn));
    assertThat(done).isEqualTo(gone ? 1 : 0);
    scene.took(gone, Effect.DECREASE);
    if (gone && guest.pages.containsKey(gfn)) {
      guest.unshare(gfn);
      guest.unmap(gfn).frame().release();
    }
  }

  /** What is removed and not released is an orphan; what is shared is only given up. */
  private void remove(Guest guest) {
    long gfn = scene.gfn(guest);
    if (!scene.demand(guest, gfn)) {
      return;
    }

    long ret = scene.host.remove(guest.id, gfn);

    boolean there = guest.pages.containsKey(gfn);
    assertThat(ret).isEqualTo(there ? 0 : -2);
    scene.took(there, Effect.REMOVE);
    if (there) {
      MemoryModel.Page page = guest.unmap(gfn);
      page.frame().sharers -= page.kind() == Kind.SHARED ? 1 : 0;
    }
  }
}
