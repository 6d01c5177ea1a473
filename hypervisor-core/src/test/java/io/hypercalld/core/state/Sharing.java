package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Frame;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import io.hypercalld.core.state.SharingHost.Shared;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Pages of equal contents that share a frame: {@code sharing_op}. */
final class Sharing {
  private static final int EXDEV = -18;
  private static final int EINVAL = -22;
  private static final int E2BIG = -7;
  private static final int CLIENT_INVALID = -9;

  private static final int MOST_OF_A_RANGE = 16;

  private final Scene scene;
  private final Touching touching;

  Sharing(Scene scene) {
    this.scene = scene;
    this.touching = new Touching(scene);
  }

  List<Operation> operations() {
    return List.of(
        this::nominate,
        this::share,
        this::share,
        this::lend,
        this::write,
        this::shareRange,
        this::shareRange);
  }

  private void nominate(Guest guest) {
    nominate(guest, scene.gfn(guest));
  }

  /** Answers the handle of a page, or the negative errno. */
  private long nominate(Guest guest, long gfn) {
    Page page = guest.pages.get(gfn);

    long handle = scene.host.sharing.nominate(guest.id, gfn);

    if (guest.role == Role.BACKEND) {
      assertThat(handle).isEqualTo(EXDEV);
    } else if (page == null || page.kind() == Kind.READ_ONLY || page.kind() == Kind.NOMINATED) {
      assertThat(handle).isEqualTo(EINVAL);
    } else if (page.kind() == Kind.RAM && page.frame().references > 0) {
      // A writable grant has the frame be of another type, a foreign mapping only refer to it.
      assertThat(handle).isIn((long) E2BIG, (long) EINVAL);
    } else {
      assertThat(handle).isPositive();
      guest.share(gfn);
      scene.took(true, Effect.NOMINATE_TO_SHARE);
    }
    return handle;
  }

  private void share(Guest guest) {
    Guest client = anotherSharing(guest);
    long from = scene.gfn(guest);
    long to = scene.gfn(client);
    if (guest.role != Role.SHARING || !suits(guest, from) || !suits(client, to)) {
      return;
    }
    Shared source = new Shared(guest.id, from, nominate(guest, from));
    Shared target = new Shared(client.id, to, nominate(client, to));
    Frame kept = Objects.requireNonNull(guest.pages.get(from)).frame();
    Frame freed = Objects.requireNonNull(client.pages.get(to)).frame();

    assertThat(scene.host.sharing.share(source, target)).isZero();

    if (join(kept, freed)) {
      scene.took(true, Effect.SHARE);
    }
  }

  /** Whoever shared the one frame shares the other; answers whether it was another. */
  private boolean join(Frame kept, Frame freed) {
    if (kept == freed) {
      return false;
    }
    for (Map.Entry<Guest, Long> sharer : scene.model.sharersOf(freed)) {
      sharer.getKey().pages.put(sharer.getValue(), new Page(Kind.SHARED, kept));
      kept.sharers++;
    }
    return true;
  }

  private long highest(Guest guest) {
    return Math.min(scene.host.domain(guest.id).p2m().maxMappedGfn().value(), Scene.GFNS - 1);
  }

  /** Pages that cannot be shared are passed over. */
  private void shareRange(Guest guest) {
    List<Guest> others =
        scene.model.guests.values().stream()
            .filter(other -> other.role == Role.SHARING && other != guest)
            .toList();
    if (guest.role != Role.SHARING || others.isEmpty()) {
      return;
    }
    Guest client = scene.oneOf(others);
    // Both are to have asked for sharing once, and to have guest frames so high.
    long first =
        guest.pages.keySet().stream()
            .filter(gfn -> suits(guest, gfn) && suits(client, gfn))
            .findFirst()
            .orElseGet(scene::gfn);
    nominate(guest, first);
    nominate(client, first);
    long last = Math.min(first + MOST_OF_A_RANGE, Math.min(highest(guest), highest(client)));
    if (last < first) {
      return;
    }

    assertThat(scene.host.sharing.shareRange(guest.id, client.id, first, last)).isZero();

    for (long gfn = first; gfn <= last; gfn++) {
      scene.touched.add(gfn);
      if (suits(guest, gfn)) {
        Frame kept = guest.share(gfn);
        boolean shares = suits(client, gfn);
        scene.took(shares && join(kept, client.share(gfn)), Effect.SHARE_A_RANGE);
      }
    }
  }

  private static boolean suits(Guest guest, long gfn) {
    Page page = guest.pages.get(gfn);
    return page != null
        && (page.kind() == Kind.SHARED
            || (page.kind() == Kind.RAM && page.frame().references == 0));
  }

  private Guest anotherSharing(Guest guest) {
    return scene.oneOf(
        scene.model.guests.values().stream()
            .filter(other -> other.role == Role.SHARING || other == guest)
            .toList());
  }

  private void write(Guest guest) {
    firstShared(guest).ifPresent(gfn -> touching.write(guest, gfn));
  }

  private static Optional<Long> firstShared(Guest guest) {
    return guest.pages.keySet().stream().filter(gfn -> guest.has(gfn, Kind.SHARED)).findFirst();
  }

  private void lend(Guest guest) {
    Guest client = anotherSharing(guest);
    Optional<Long> shared = firstShared(guest);
    if (guest.role != Role.SHARING || shared.isEmpty()) {
      return;
    }
    // The client is to have asked for sharing once.
    nominate(client, scene.gfn(client));
    long from = shared.get();
    long to = scene.gfn();
    Shared source = new Shared(guest.id, from, nominate(guest, from));

    long ret = scene.host.sharing.lend(source, client.id, to);

    assertThat(ret).isEqualTo(client.pages.containsKey(to) ? CLIENT_INVALID : 0);
    if (ret == 0) {
      Frame frame = Objects.requireNonNull(guest.pages.get(from)).frame();
      frame.sharers++;
      client.pages.put(to, new Page(Kind.SHARED, frame));
      client.accesses.remove(to);
      scene.took(true, Effect.ADD_SHARED);
    }
  }
}
