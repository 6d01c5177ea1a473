package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.state.MemoryModel.Frame;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Mapping;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** Devices that read and write what their guests have, and what those map of others. */
final class DeviceAccess {
  private final Scene scene;

  DeviceAccess(Scene scene) {
    this.scene = scene;
  }

  /** A frame that a device reaches. */
  private record Reached(Frame frame, boolean writable) {}

  List<Operation> operations() {
    return List.of(this::read, this::write);
  }

  private void read(Guest guest) {
    check(guest, anyFrame(guest));
  }

  private void write(Guest guest) {
    long number = anyFrame(guest);
    Optional<Reached> reached = reached(guest, number);
    long stamp = scene.newStamp();

    boolean written = scene.devices.write(guest.id, number, stamp);

    assertThat(written).isEqualTo(reached.filter(Reached::writable).isPresent());
    scene.took(written, Effect.DEVICE_WRITE);
    scene.took(!written, Effect.DEVICE_STOPPED);
    if (written) {
      reached.orElseThrow().frame.stamp = stamp;
    }
  }

  /** Holds what a device sees of one frame against the model. */
  void check(Guest guest, long number) {
    OptionalLong expected =
        reached(guest, number)
            .map(found -> OptionalLong.of(found.frame.stamp))
            .orElseGet(OptionalLong::empty);
    assertThat(scene.devices.read(guest.id, number))
        .as("device of %s at 0x%x", guest.id, number)
        .isEqualTo(expected);
  }

  private long anyFrame(Guest guest) {
    if (guest.role == Role.PARAVIRTUAL) {
      return guest.pages.isEmpty()
          ? 0
          : scene.oneOf(List.copyOf(guest.pages.keySet())) + scene.random.nextInt(2);
    }
    List<Slot> slots = scene.model.slotsOf(guest.id);
    return slots.isEmpty() || scene.random.nextInt(3) > 0
        ? scene.gfn(guest)
        : scene.oneOf(slots).gfn();
  }

  private Optional<Reached> reached(Guest guest, long number) {
    Page page = guest.pages.get(number);
    if (page != null) {
      boolean hidden =
          switch (page.kind()) {
            case NOMINATED, SHARED, PINNED -> true;
            // Of a table that is the processor's, too, only writes are taken away.
            case CLAIMED -> scene.devices.iommuOptions() != 0;
            case RAM, READ_ONLY -> false;
          };
      return hidden
          ? Optional.empty()
          : Optional.of(new Reached(page.frame(), page.kind() == Kind.RAM));
    }
    Mapping mapping = scene.model.mappings.get(new Slot(guest.id, number));
    return Optional.ofNullable(mapping)
        .map(found -> new Reached(Objects.requireNonNull(found).frame(), !found.readonly()));
  }
}
