package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Mapping;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Pages that others map: by foreign mapping dom0, by grant dom0 and guests with devices. */
final class Lending {
  private static final long DOM0_SLOTS = 0x10_0000;
  private static final long GUEST_SLOTS = 0x600;
  private static final int SLOTS = 24;
  private static final int REFS = 256;
  private static final int EINVAL = -22;

  /** {@code GNTST_eagain}. */
  private static final int EAGAIN = -12;

  private static final int ENXIO = -6;

  private final Scene scene;

  Lending(Scene scene) {
    this.scene = scene;
  }

  List<Operation> operations() {
    return List.of(
        this::mapForeign,
        this::mapForeign,
        this::mapGrant,
        this::mapGrant,
        this::mapGrant,
        _ -> unmapOne(),
        _ -> unmapOne(),
        _ -> unmapOne(),
        _ -> writeThroughOne());
  }

  private void mapForeign(Guest guest) {
    long gfn = scene.gfn(guest);
    Slot slot = foreignSlot(guest);
    if (!scene.demand(guest, gfn)) {
      return;
    }
    Page page = guest.pages.get(gfn);

    int errno = scene.host.lending.mapForeign(guest.id, gfn, slot);

    if (page == null || page.kind() == Kind.SHARED) {
      assertThat(errno).isEqualTo(EINVAL);
    } else if (scene.model.mappings.containsKey(slot)) {
      assertThat(errno).isEqualTo(ENXIO);
    } else {
      assertThat(errno).isZero();
      page.frame().references++;
      scene.model.mappings.put(slot, new Mapping(page.frame(), guest.id, 0, false, -1));
      scene.took(
          true,
          slot.mapper().equals(DomainId.DOM0)
              ? Effect.MAP_FOREIGN
              : Effect.MAP_FOREIGN_FOR_A_DEVICE);
    }
  }

  /** A guest frame of dom0's, or of a guest that is the other's device model. */
  private Slot foreignSlot(Guest owner) {
    serve(owner);
    Optional<Guest> model =
        scene.model.guests.values().stream()
            .filter(guest -> guest.target.equals(Optional.of(owner.id)))
            .findFirst();
    if (model.isEmpty() || scene.random.nextInt(3) == 0) {
      return new Slot(DomainId.DOM0, DOM0_SLOTS + scene.random.nextInt(SLOTS));
    }
    return new Slot(model.get().id, GUEST_SLOTS + scene.random.nextInt(SLOTS));
  }

  /** A guest with a device becomes the device model of one that is nobody's. */
  private void serve(Guest owner) {
    scene.model.guests.values().stream()
        .filter(guest -> guest.role == Role.BACKEND && guest.target.isEmpty())
        .filter(_ -> owner.role != Role.BACKEND && !scene.model.isTarget(owner.id))
        .findFirst()
        .ifPresent(
            guest -> {
              scene.host.lending.serve(guest.id, owner.id);
              guest.target = Optional.of(owner.id);
            });
  }

  private void mapGrant(Guest guest) {
    long gfn = scene.gfn(guest);
    Slot slot = grantSlot(guest);
    boolean free = !scene.model.mappings.containsKey(slot) && !guest.has(gfn, Kind.SHARED);
    if (!free || !scene.demand(guest, gfn)) {
      return;
    }
    boolean readonly = scene.random.nextBoolean();
    long ref = freeRef(guest);
    Page page = guest.pages.get(gfn);

    LendingHost.Granted granted =
        scene.host.lending.mapGrant(new LendingHost.Grant(guest.id, gfn, ref, readonly), slot);

    boolean there = page != null && page.kind() != Kind.NOMINATED;
    assertThat(granted.status() == 0).as("%s", granted).isEqualTo(there);
    if (guest.isAway(gfn)) {
      assertThat(granted.status()).isEqualTo(EAGAIN);
      new PagingOut(scene).bringBack(guest, gfn);
    }
    if (page != null && there) {
      page.frame().references++;
      scene.model.mappings.put(
          slot, new Mapping(page.frame(), guest.id, ref, readonly, granted.handle()));
      scene.took(
          true,
          slot.mapper().equals(DomainId.DOM0) ? Effect.MAP_GRANT : Effect.MAP_GRANT_FOR_A_DEVICE);
    }
  }

  private Slot grantSlot(Guest granter) {
    List<DomainId> mappers = new ArrayList<>();
    mappers.add(DomainId.DOM0);
    scene.model.guests.values().stream()
        .filter(guest -> guest.role == Role.BACKEND && guest != granter)
        .forEach(guest -> mappers.add(guest.id));
    DomainId mapper = scene.oneOf(mappers);
    long slots = mapper.equals(DomainId.DOM0) ? DOM0_SLOTS : GUEST_SLOTS;
    return new Slot(mapper, slots + scene.random.nextInt(SLOTS));
  }

  private long freeRef(Guest granter) {
    List<Long> taken =
        scene.model.mappings.values().stream()
            .filter(mapping -> mapping.isGrant() && mapping.owner().equals(granter.id))
            .map(Mapping::ref)
            .toList();
    long ref = scene.random.nextInt(REFS);
    while (taken.contains(ref)) {
      ref++;
    }
    return ref;
  }

  private void unmapOne() {
    if (!scene.model.mappings.isEmpty()) {
      unmap(scene.oneOf(List.copyOf(scene.model.mappings.keySet())));
    }
  }

  void unmap(Slot slot) {
    Mapping mapping = Objects.requireNonNull(scene.model.mappings.remove(slot));
    long ret =
        mapping.isGrant()
            ? scene.host.lending.unmapGrant(slot, mapping.handle())
            : scene.host.remove(slot.mapper(), slot.gfn());
    assertThat(ret).isZero();
    mapping.frame().unreference();
  }

  private void writeThroughOne() {
    if (scene.model.mappings.isEmpty()) {
      return;
    }
    Map.Entry<Slot, Mapping> entry = scene.oneOf(List.copyOf(scene.model.mappings.entrySet()));
    Slot slot = entry.getKey();
    Mapping mapping = entry.getValue();
    assertThat(scene.host.read(slot.mapper(), slot.gfn())).isEqualTo(mapping.frame().stamp);
    long stamp = scene.newStamp();

    boolean written = scene.host.write(slot.mapper(), slot.gfn(), stamp);

    assertThat(written).isEqualTo(!mapping.readonly());
    if (written) {
      mapping.frame().stamp = stamp;
      scene.took(true, Effect.WRITE_THROUGH_MAPPING);
    }
  }
}
