package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import java.util.List;
import java.util.Objects;

/** A server that claims writes to pages: {@code set_mem_type} to {@code ioreq_server}. */
final class Claiming {
  private static final int RAM_RW = 0;
  private static final int IOREQ_SERVER = 4;
  private static final int MOST = 4;
  private static final int EBUSY = -16;
  private static final int EINVAL = -22;

  private final Scene scene;
  private final Touching touching;

  Claiming(Scene scene) {
    this.scene = scene;
    this.touching = new Touching(scene);
  }

  List<Operation> operations() {
    return List.of(this::tag, this::tag, this::tag, this::write, this::write, this::turn);
  }

  /** Pages become the server's, up to the first that is no plain memory. */
  private void tag(Guest guest) {
    long first = scene.gfn(guest);
    long count = 1L + scene.random.nextInt(MOST);
    long highest = scene.host.domain(guest.id).p2m().maxMappedGfn().value();
    boolean allowed = guest.hasClaim && first + count - 1 <= highest;

    long ret = scene.host.types.setMemType(guest.id, first, count, IOREQ_SERVER);

    long done = 0;
    while (allowed && done < count && guest.has(first + done, Kind.RAM)) {
      Page page = Objects.requireNonNull(guest.pages.get(first + done));
      guest.pages.put(first + done, new Page(Kind.CLAIMED, page.frame()));
      scene.touched.add(first + done);
      done++;
    }
    assertThat(ret).isEqualTo(done == count ? 0 : EINVAL);
    scene.took(done > 0, Effect.CLAIM_PAGES);
    scene.took(!guest.hasClaim, Effect.REFUSE_PAGES_WITHOUT_CLAIM);
  }

  private void write(Guest guest) {
    claimed(guest).stream().findFirst().ifPresent(gfn -> touching.write(guest, gfn));
  }

  /** The server claims what it has not, or gives up what it has. */
  private void turn(Guest guest) {
    if (!guest.hasClaim) {
      clearLeft(guest);
      scene.servers.claim(guest.id);
      guest.hasClaim = true;
    } else if (scene.random.nextInt(3) == 0) {
      release(guest);
    } else if (scene.random.nextInt(3) == 0) {
      abandon(guest);
    } else if (guest.pages.values().stream().anyMatch(page -> page.kind() == Kind.CLAIMED)) {
      int expected = scene.devices.areAssigned() ? EINVAL : EBUSY;
      assertThat(scene.host.types.logDirty(guest.id, true)).isEqualTo(expected);
    }
  }

  /** The server goes, and what it claimed stays as it is. */
  private void abandon(Guest guest) {
    scene.servers.destroy(guest.id);
    guest.hasClaim = false;
    scene.touched.addAll(claimed(guest));
    scene.took(!claimed(guest).isEmpty(), Effect.ABANDON_PAGES);
  }

  /** Whoever would claim after a server that went has its pages made plain memory one by one. */
  private void clearLeft(Guest guest) {
    List<Long> left = claimed(guest);
    if (left.isEmpty()) {
      return;
    }
    scene.servers.refuseClaim(guest.id);
    assertThat(scene.host.types.logDirty(guest.id, true))
        .isEqualTo(scene.devices.areAssigned() ? EINVAL : EBUSY);
    for (long gfn : left) {
      assertThat(scene.host.types.setMemType(guest.id, gfn, 1, RAM_RW)).isZero();
      guest.pages.put(gfn, new Page(Kind.RAM, guest.unmap(gfn).frame()));
      scene.touched.add(gfn);
    }
    scene.took(true, Effect.CLEAR_ABANDONED_PAGES);
  }

  private static List<Long> claimed(Guest guest) {
    return guest.pages.keySet().stream().filter(gfn -> guest.has(gfn, Kind.CLAIMED)).toList();
  }

  void release(Guest guest) {
    scene.servers.release(guest.id);
    guest.hasClaim = false;
    for (long gfn : claimed(guest)) {
      guest.pages.put(gfn, new Page(Kind.RAM, guest.unmap(gfn).frame()));
      scene.touched.add(gfn);
      scene.took(true, Effect.RELEASE_PAGES);
    }
  }
}
