package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Frame;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/** What guests without P2M do with frames of the machine, {@code exchange} among it. */
final class Exchanging {
  private static final int MOST = 16;
  private static final int ORDER = 2;
  private static final int EINVAL = -22;

  private final Scene scene;

  Exchanging(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(
        this::populate, this::decrease, this::write, this::exchange, this::exchange, this::pin);
  }

  /** What a guest with a P2M is told. */
  void refuse(Guest guest) {
    long gfn = scene.gfn(guest);
    if (scene.demand(guest, gfn) && guest.mayUnshare(gfn, scene.room(guest))) {
      // Xen looks at the frame as one to be written before it finds whose it is.
      boolean unshares = guest.has(gfn, Kind.SHARED);
      assertThat(scene.host.frames.exchange(guest.id, new long[] {gfn}, 0, !unshares)).isEmpty();
      guest.unshare(gfn);
      scene.took(true, Effect.REFUSE_TO_EXCHANGE_GUEST_FRAMES);
    }
  }

  private void populate(Guest guest) {
    int count = 1 + scene.random.nextInt(MOST);
    long room = scene.room(guest);

    List<Long> frames = scene.host.frames.populate(guest.id, count);

    assertThat(frames).hasSize((int) Math.min(count, room));
    frames.forEach(mfn -> add(guest, mfn));
  }

  private static void add(Guest guest, long mfn) {
    guest.pages.put(mfn, new Page(Kind.RAM, new Frame(guest, 0)));
  }

  private void decrease(Guest guest) {
    List<Long> free =
        guest.pages.keySet().stream().filter(mfn -> guest.has(mfn, Kind.RAM)).toList();
    if (!free.isEmpty()) {
      long mfn = scene.oneOf(free);
      assertThat(scene.host.decrease(guest.id, mfn)).isEqualTo(1);
      guest.unmap(mfn).frame().release();
    }
  }

  private void write(Guest guest) {
    if (!guest.pages.isEmpty()) {
      Map.Entry<Long, Page> page = scene.oneOf(List.copyOf(guest.pages.entrySet()));
      long stamp = scene.newStamp();
      scene.host.frames.write(page.getKey(), stamp);
      page.getValue().frame().stamp = stamp;
    }
  }

  /** A page becomes a page table, or one that is no page table any more. */
  private void pin(Guest guest) {
    if (guest.pages.isEmpty()) {
      return;
    }
    long mfn = scene.oneOf(List.copyOf(guest.pages.keySet()));
    boolean pinned = guest.has(mfn, Kind.PINNED);
    boolean on = scene.random.nextBoolean();

    long ret = scene.host.frames.pin(guest.id, mfn, on);

    assertThat(ret).isEqualTo(on == pinned ? EINVAL : 0);
    if (ret == 0) {
      Frame frame = Objects.requireNonNull(guest.pages.get(mfn)).frame();
      guest.pages.put(mfn, new Page(on ? Kind.PINNED : Kind.RAM, frame));
      scene.took(true, on ? Effect.PIN : Effect.UNPIN);
    }
  }

  private void exchange(Guest guest) {
    int order = scene.random.nextBoolean() ? ORDER : 0;
    long[] given =
        guest.pages.keySet().stream().mapToLong(Long::longValue).limit(1L << order).toArray();
    if (given.length < 1 << order) {
      return;
    }
    boolean own = scene.random.nextInt(8) > 0;
    if (!own) {
      // Free, or somebody else's.
      given[0] = guest.pages.lastKey() + 1;
    }
    // Nor is a page table to be had.
    own &= LongStream.of(given).allMatch(mfn -> guest.has(mfn, Kind.RAM));

    OptionalLong found = scene.host.frames.exchange(guest.id, given, order, true);

    assertThat(found.isPresent()).isEqualTo(own);
    scene.took(!own, Effect.REFUSE_EXCHANGE);
    if (own) {
      for (long mfn : given) {
        guest.unmap(mfn).frame().release();
      }
      for (long mfn = found.getAsLong(); mfn < found.getAsLong() + (1L << order); mfn++) {
        add(guest, mfn);
      }
      scene.took(true, Effect.EXCHANGE);
    }
  }
}
