package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Guest;
import java.util.List;

/** Somebody watches which pages a guest writes: {@code shadow_op}. */
final class Watching {
  private static final int EINVAL = -22;

  private final Scene scene;

  Watching(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(this::watch);
  }

  private void watch(Guest guest) {
    if (guest.role.hasDevice()) {
      refuse(guest);
    } else if (!guest.isWatched) {
      assertThat(scene.host.types.logDirty(guest.id, true)).isZero();
      guest.watch(true);
    } else if (scene.random.nextInt(4) == 0) {
      assertThat(scene.host.types.logDirty(guest.id, false)).isZero();
      guest.watch(false);
    } else {
      boolean clean = scene.random.nextBoolean();
      assertThat(scene.host.types.dirty(guest.id, clean)).containsAll(guest.written);
      scene.took(!guest.written.isEmpty(), clean ? Effect.CLEAN : Effect.PEEK);
      if (clean) {
        guest.watch(true);
      }
    }
  }

  private void refuse(Guest guest) {
    if (scene.devices.areAssigned()) {
      assertThat(scene.host.types.logDirty(guest.id, true)).isEqualTo(EINVAL);
      scene.took(true, Effect.REFUSE_LOG_DIRTY);
    }
  }
}
