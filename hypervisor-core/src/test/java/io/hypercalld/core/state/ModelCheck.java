package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Mapping;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.util.Objects;

/** Holds machine and model against each other. */
final class ModelCheck {
  private final Scene scene;
  private final DeviceAccess devices;

  ModelCheck(Scene scene) {
    this.scene = scene;
    this.devices = new DeviceAccess(scene);
  }

  /** What is cheap: counts. */
  void counts(Guest guest) {
    Domain domain = scene.host.domain(guest.id);
    assertThat(domain.run().isShutDown()).as("%s", domain.run().crashReason()).isFalse();
    assertThat(domain.reservation().totalPages() - scene.cached(guest)).isEqualTo(guest.frames);
    if (guest.role != Role.PARAVIRTUAL) {
      assertThat(domain.features().populateOnDemand().entries()).isEqualTo(guest.waiting.size());
      assertThat(domain.features().paging().pagedPages()).isEqualTo(guest.pagedOut.size());
    }
    if (guest.role == Role.SHARING) {
      assertThat(domain.features().sharing().sharedPages())
          .isEqualTo(
              guest.pages.values().stream().filter(page -> page.kind() == Kind.SHARED).count());
    }
  }

  /** Everything about every page. */
  void everything(Guest guest) {
    if (guest.role == Role.PARAVIRTUAL) {
      guest.pages.forEach((mfn, page) -> checkFrame(guest, mfn, page));
      return;
    }
    for (long gfn = 0; gfn < Scene.GFNS; gfn++) {
      at(guest, gfn);
    }
    scene.model.slotsOf(guest.id).forEach(slot -> checkMapped(slot));
    scene.model.slotsOf(DomainId.DOM0).forEach(slot -> checkMapped(slot));
    scene.model.slotsOf(guest.id).forEach(slot -> devices.check(guest, slot.gfn()));
  }

  /** Everything about one guest frame: type, contents, references, and what a device sees. */
  void at(Guest guest, long gfn) {
    Page page = guest.pages.get(gfn);
    if (guest.role == Role.PARAVIRTUAL) {
      if (page != null) {
        checkFrame(guest, gfn, page);
      }
      return;
    }
    P2mType type = scene.host.lookup(guest.id, gfn).type();
    assertThat(typeFits(guest, gfn, type)).as("0x%x of %s is %s", gfn, guest.id, type).isTrue();
    if (guest.role.hasDevice()) {
      devices.check(guest, gfn);
    }
    if (page != null) {
      check(guest, gfn, page);
    }
  }

  private void checkFrame(Guest guest, long mfn, Page page) {
    assertThat(scene.host.frames.read(mfn)).isEqualTo(page.frame().stamp);
    assertThat(scene.host.frames.references(mfn)).isEqualTo(1);
    devices.check(guest, mfn);
  }

  /** A guest frame of somebody's that maps a page of another's. */
  private void checkMapped(Slot slot) {
    Mapping mapping = Objects.requireNonNull(scene.model.mappings.get(slot));
    P2mType granted = mapping.readonly() ? P2mType.GRANT_MAP_RO : P2mType.GRANT_MAP_RW;
    assertThat(scene.host.lookup(slot.mapper(), slot.gfn()).type())
        .isEqualTo(mapping.isGrant() ? granted : P2mType.MAP_FOREIGN);
    assertThat(scene.host.owner(slot.mapper(), slot.gfn())).isEqualTo(mapping.owner().value());
  }

  private void check(Guest guest, long gfn, Page page) {
    if (page.kind() != Kind.NOMINATED) {
      assertThat(scene.host.read(guest.id, gfn)).isEqualTo(page.frame().stamp);
    }
    long users = (long) page.frame().references + page.frame().sharers;
    assertThat(scene.host.references(guest.id, gfn)).isEqualTo(1 + users);
    DomainId owner = page.kind() == Kind.SHARED ? DomainId.COW : guest.id;
    assertThat(scene.host.owner(guest.id, gfn)).isEqualTo(owner.value());
  }

  private static boolean typeFits(Guest guest, long gfn, P2mType type) {
    Page page = guest.pages.get(gfn);
    if (page == null) {
      return type
          == (guest.waiting.contains(gfn)
              ? P2mType.POPULATE_ON_DEMAND
              : guest.pagedOut.containsKey(gfn) ? P2mType.RAM_PAGED : P2mType.MMIO_DM);
    }
    return switch (page.kind()) {
      case RAM ->
          guest.protectedPages.contains(gfn)
              ? type == P2mType.RAM_LOGDIRTY
              : type == P2mType.RAM_RW || (guest.isWatched && type == P2mType.RAM_LOGDIRTY);
      case CLAIMED -> type == P2mType.IOREQ_SERVER;
      case READ_ONLY -> type == P2mType.RAM_RO;
      case NOMINATED -> type == P2mType.RAM_PAGING_OUT;
      case SHARED -> type == P2mType.RAM_SHARED;
      case PINNED -> false;
    };
  }
}
