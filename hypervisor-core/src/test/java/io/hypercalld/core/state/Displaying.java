package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import java.util.List;
import java.util.stream.LongStream;

/** A device model that shows a display, and asks what of it changed: {@code track_dirty_vram}. */
final class Displaying {
  private static final int MOST = 40;

  private final Scene scene;
  private final Touching touching;

  Displaying(Scene scene) {
    this.scene = scene;
    this.touching = new Touching(scene);
  }

  List<Operation> operations() {
    return List.of(this::ask, this::ask, this::ask, this::draw, this::draw, this::choose);
  }

  /** A display is asked about for the first time, which shows all of it; or none is any more. */
  private void choose(Guest guest) {
    int count = scene.random.nextInt(8) == 0 ? 0 : 1 + scene.random.nextInt(MOST);
    long first = scene.random.nextInt(Scene.GFNS - MOST);
    Display wanted = new Display(first, count);
    if (wanted.equals(guest.display)) {
      return;
    }

    List<Long> written = scene.host.types.track(guest.id, first, count);

    assertThat(written).containsExactlyElementsOf(wanted.gfns());
    scene.touched.addAll(guest.protectedPages);
    guest.protectedPages.clear();
    guest.display = wanted;
    wanted.gfns().stream()
        .filter(gfn -> guest.has(gfn, Kind.RAM))
        .forEach(guest.protectedPages::add);
    scene.touched.addAll(wanted.gfns());
    scene.took(count > 0, Effect.TRACK_A_DISPLAY);
  }

  /** What is told is what was written, and from then on it is watched again. */
  private void ask(Guest guest) {
    Display shown = guest.display;
    if (shown.count() == 0) {
      return;
    }
    List<Long> expected =
        shown.gfns().stream()
            .filter(gfn -> guest.has(gfn, Kind.RAM) && !guest.protectedPages.contains(gfn))
            .toList();

    assertThat(scene.host.types.track(guest.id, shown.first(), shown.count()))
        .containsExactlyElementsOf(expected);

    guest.protectedPages.addAll(expected);
    scene.touched.addAll(expected);
    scene.took(!expected.isEmpty(), Effect.SHOW_WHAT_WAS_DRAWN);
  }

  private void draw(Guest guest) {
    if (!guest.protectedPages.isEmpty()) {
      long gfn = scene.oneOf(List.copyOf(guest.protectedPages));
      scene.touched.add(gfn);
      touching.write(guest, gfn);
    }
  }

  /** Guest frames that are shown. */
  record Display(long first, int count) {
    static final Display NONE = new Display(0, 0);

    List<Long> gfns() {
      return LongStream.range(first, first + count).boxed().toList();
    }
  }
}
