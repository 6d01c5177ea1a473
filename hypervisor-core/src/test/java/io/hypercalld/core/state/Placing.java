package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Pages that change place or type: {@code add_to_physmap} and {@code set_mem_type}. */
final class Placing {
  private static final int EACCES = -13;
  private static final int ENOMEM = -12;
  private static final int EINVAL = -22;

  private final Scene scene;

  Placing(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(this::move, this::move, this::setType, this::setType);
  }

  private void move(Guest guest) {
    long from = scene.gfn(guest);
    long to = scene.gfn();
    if (!scene.demand(guest, from) || !scene.demand(guest, to) || guest.waiting.contains(from)) {
      return;
    }
    boolean stuck = !guest.mayUnshare(from, scene.room(guest));
    // Xen makes the source the guest's own before it looks at where it is to go.
    boolean unshares = !stuck && guest.has(from, Kind.SHARED);
    if (unshares) {
      guest.unshare(from);
    }
    boolean plain = guest.has(from, Kind.RAM);
    boolean blocked = plain && from != to && !guest.mayUnshare(to, scene.room(guest));

    long ret = scene.host.move(guest.id, from, to, !unshares);

    assertThat(ret).isEqualTo(stuck || blocked ? ENOMEM : plain ? 0 : EACCES);
    scene.took(ret == 0, Effect.MOVE);
    if (ret == 0 && from != to) {
      replace(guest, from, to);
    } else if (ret == 0) {
      refresh(guest, from);
    }
  }

  private static void replace(Guest guest, long from, long to) {
    guest.unshare(to);
    Page page = guest.unmap(from);
    if (guest.pages.containsKey(to)) {
      guest.unmap(to).frame().release();
    }
    guest.pagedOut.remove(to);
    guest.put(to, page);
  }

  /** A page that is put where it is becomes writable again, which counts as written. */
  private static void refresh(Guest guest, long gfn) {
    if (guest.protectedPages.contains(gfn) || (guest.isWatched && !guest.written.contains(gfn))) {
      guest.put(gfn, Objects.requireNonNull(guest.pages.get(gfn)));
    }
  }

  private void setType(Guest guest) {
    long first = scene.gfn(guest);
    long count = 1L + scene.random.nextInt(3);
    boolean readOnly = scene.random.nextBoolean();
    boolean simple = first + count <= scene.host.domain(guest.id).p2m().maxMappedGfn().value();
    for (long gfn = first; gfn < first + count; gfn++) {
      simple &= scene.demand(guest, gfn) && !guest.isAway(gfn) && !guest.has(gfn, Kind.SHARED);
    }
    // A page may have been taken back for the next one.
    if (!simple || !guest.waiting.subSet(first, first + count).isEmpty()) {
      return;
    }

    long ret = scene.host.types.setMemType(guest.id, first, count, readOnly ? 1 : 0);

    long done = 0;
    while (done < count && mayBe(readOnly, guest.pages.get(first + done))) {
      retype(guest, first + done, readOnly ? Kind.READ_ONLY : Kind.RAM);
      done++;
    }
    assertThat(ret).isEqualTo(done == count ? 0 : EINVAL);
    scene.took(ret == 0, readOnly ? Effect.MAKE_READ_ONLY : Effect.MAKE_WRITABLE);
  }

  /** What a server has is plain memory before it is anything else. */
  private static boolean mayBe(boolean readOnly, @Nullable Page page) {
    return page != null && !(readOnly && page.kind() == Kind.CLAIMED);
  }

  private static void retype(Guest guest, long gfn, Kind kind) {
    Page page = Objects.requireNonNull(guest.pages.get(gfn));
    guest.pages.put(gfn, new Page(kind, page.frame()));
    guest.accesses.remove(gfn);
    guest.protectedPages.remove(gfn);
    if (kind == Kind.RAM && !guest.written.contains(gfn)) {
      guest.unseen.add(gfn);
    }
  }
}
