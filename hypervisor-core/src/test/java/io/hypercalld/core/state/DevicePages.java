package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.state.MemoryModel.Guest;
import java.util.List;

/** Guests that see pages of devices, where others do not look: {@code memory_mapping}. */
final class DevicePages {
  /** A page of a device, in no memory of the machine's. */
  private static final long DEVICE = 0xfe000;

  private static final long WINDOW = 0x780;
  private static final int PAGES = 8;
  private static final int EINVAL = -22;
  private static final int EPERM = -1;
  private static final int EMLINK = -31;

  private final Scene scene;

  DevicePages(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(this::map, this::refusePager);
  }

  /** Nobody pages out what a device could reach at any time. */
  private void refusePager(Guest guest) {
    assertThat(scene.host.refusePager(guest.id)).isEqualTo(EMLINK);
    scene.took(true, Effect.REFUSE_A_PAGER_BESIDE_A_DEVICE);
  }

  /** Maps a page of a device where there is none, or unmaps it. */
  private void map(Guest guest) {
    long page = scene.random.nextInt(PAGES);
    long gfn = WINDOW + page;
    long mfn = DEVICE + page;
    boolean there = scene.host.lookup(guest.id, gfn).type() == P2mType.MMIO_DIRECT;
    boolean on = scene.random.nextBoolean();
    boolean permitted = scene.host.domain(guest.id).hasIoCapabilities();

    long ret = scene.host.mapDevice(guest.id, gfn, mfn, on);

    if (on && !permitted) {
      assertThat(ret).isEqualTo(EPERM);
      assertThat(scene.host.permitDevice(guest.id, DEVICE, PAGES)).isZero();
      return;
    }
    assertThat(ret).isEqualTo(on || there ? 0 : EINVAL);
    P2mLookup found = scene.host.lookup(guest.id, gfn);
    assertThat(found.type()).isEqualTo(on ? P2mType.MMIO_DIRECT : P2mType.MMIO_DM);
    if (on) {
      assertThat(found.mfn().value()).isEqualTo(mfn);
    }
    scene.took(on && !there, Effect.MAP_DEVICE_MEMORY);
    scene.took(!on && there, Effect.UNMAP_DEVICE_MEMORY);
  }
}
