package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Mapping;
import io.hypercalld.core.state.MemoryModel.Role;
import io.hypercalld.core.state.MemoryModel.Slot;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Random operations on the memory of several domains, each done to a machine and to a model.
 *
 * <p>After each the machine's invariants are checked, and everything about the guest frames that it
 * was about, what devices see of them included; every few steps the devices' oracles, and now and
 * then every page of everybody. At the end all is given back.
 */
public final class StateWalk {
  private static final int MOST_GUESTS = 6;
  private static final int EVERYTHING = 50;

  /** Oracles about all of the devices' tables and caches; what they find does not go away. */
  private static final int DEVICE_AUDIT = 4;

  private static final int STEPS_PER_EFFECT = 10_000;
  private static final long[] LIMITS = {60, 100, 150, 540};

  private final Map<Role, List<Operation>> operations = new EnumMap<>(Role.class);
  private final Scene scene;
  private final Lending lending;
  private final ModelCheck check;
  private final Hypervisor hypervisor;

  public StateWalk(Surroundings around, RandomGenerator random) {
    this.hypervisor = around.hypervisor();
    this.scene = new Scene(around, random);
    this.lending = new Lending(scene);
    this.check = new ModelCheck(scene);
    for (Role role : Role.values()) {
      operations.put(role, operations(role));
    }
  }

  private List<Operation> operations(Role role) {
    return (role == Role.PARAVIRTUAL
            ? Stream.of(new Exchanging(scene).operations(), new DeviceAccess(scene).operations())
            : Stream.of(
                ofRole(role),
                ofRole(role),
                new Ballooning(scene).operations(),
                new Placing(scene).operations(),
                new Touching(scene).operations(),
                new Monitoring(scene).operations(),
                lending.operations(),
                List.<Operation>of(new Exchanging(scene)::refuse)))
        .flatMap(List::stream)
        .toList();
  }

  /** What only guests of a role do, or do more often than others. */
  private List<Operation> ofRole(Role role) {
    List<Operation> watching = new Watching(scene).operations();
    return switch (role) {
      case BACKEND ->
          both(
              both(watching, new DevicePages(scene).operations()),
              new DeviceAccess(scene).operations());
      case PARAVIRTUAL -> List.of();
      case ON_DEMAND ->
          both(watching, List.of(new Touching(scene)::demand, new Touching(scene)::sweep));
      case PAGED -> both(watching, new PagingOut(scene).operations());
      case SHARING -> both(watching, new Sharing(scene).operations());
      case MONITORED -> new Monitoring(scene).operations();
      case DISPLAYED -> new Displaying(scene).operations();
      case SERVED -> both(new Claiming(scene).operations(), new DeviceAccess(scene).operations());
    };
  }

  private static List<Operation> both(List<Operation> first, List<Operation> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /** Takes so many steps, gives everything back, and finds what was there before. */
  public void run(int steps, String name) {
    long free = scene.host.freeFrames();
    for (int step = 0; step < steps; step++) {
      try {
        step();
        if (step % DEVICE_AUDIT == 0) {
          assertThat(scene.devices.violations()).isEmpty();
        }
        if (step % EVERYTHING == 0) {
          scene.model.guests.values().forEach(check::everything);
        }
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("%s, step %d: %s".formatted(name, step, e.getMessage()), e);
      }
    }
    requireVariety(steps / STEPS_PER_EFFECT);
    List.copyOf(scene.model.mappings.keySet()).forEach(lending::unmap);
    List.copyOf(scene.model.guests.values()).forEach(this::destroy);
    requireConsistent();
    assertThat(scene.devices.violations()).isEmpty();
    assertThat(scene.host.freeFrames()).isEqualTo(free);
  }

  private void requireVariety(int times) {
    for (Effect effect : Effect.values()) {
      if (scene.devices.areAssigned() || !effect.needsUnit()) {
        assertThat(scene.effects.getOrDefault(effect, 0))
            .as("%s of %s", effect, scene.effects)
            .isGreaterThanOrEqualTo(times);
      }
    }
    assertThat(scene.host.refusalsWatched()).isGreaterThanOrEqualTo(10 * times);
  }

  private void step() {
    scene.touched.clear();
    boolean few = scene.model.guests.size() < MOST_GUESTS;
    if (scene.model.guests.isEmpty() || (few && scene.random.nextInt(20) == 0)) {
      create();
    } else {
      Guest guest = scene.oneOf(List.copyOf(scene.model.guests.values()));
      if (scene.random.nextInt(200) == 0) {
        destroy(guest);
      } else {
        scene.oneOf(Objects.requireNonNull(operations.get(guest.role))).on(guest);
      }
    }
    requireConsistent();
    for (Guest guest : scene.model.guests.values()) {
      scene.touched.forEach(gfn -> check.at(guest, gfn));
    }
  }

  private void requireConsistent() {
    scene.model.guests.values().forEach(check::counts);
    assertThat(scene.host.violations()).isEmpty();
  }

  private void create() {
    Role role = scene.oneOf(wanted());
    long limit = LIMITS[scene.random.nextInt(LIMITS.length)] + scene.random.nextInt(60);
    DomainId id =
        switch (role) {
          case BACKEND, SERVED -> scene.host.createBackend(limit, scene.devices.iommuOptions());
          case PARAVIRTUAL -> scene.host.createParavirtual(limit);
          case ON_DEMAND, PAGED, SHARING, MONITORED, DISPLAYED -> scene.host.createGuest(limit);
        };
    if (role.hasDevice()) {
      scene.devices.attach(id);
    }
    Guest guest = new Guest(id, role, limit);
    scene.model.guests.put(id, guest);
    equip(guest);
    guest.frames +=
        scene.host.domain(id).reservation().totalPages() - guest.frames - scene.cached(guest);
    scene.took(true, Effect.CREATE);
    if (role != Role.PARAVIRTUAL && role != Role.ON_DEMAND && scene.random.nextBoolean()) {
      new Ballooning(scene).populateLarge(guest);
    }
  }

  /** Roles that nobody has, or all of them; it takes two to share. */
  private List<Role> wanted() {
    List<Role> roles = new ArrayList<>(List.of(Role.values()));
    if (!scene.devices.areAssigned()) {
      roles.remove(Role.PARAVIRTUAL);
    }
    List<Role> taken =
        new ArrayList<>(scene.model.guests.values().stream().map(guest -> guest.role).toList());
    taken.remove(Role.SHARING);
    List<Role> missing = roles.stream().filter(role -> !taken.contains(role)).toList();
    return missing.isEmpty() ? roles : missing;
  }

  private void equip(Guest guest) {
    if (guest.role != Role.PARAVIRTUAL) {
      scene.host.mapGrants(guest.id);
    }
    switch (guest.role) {
      case PAGED -> scene.host.listen(guest.id, VmEventRing.Kind.PAGING);
      case MONITORED -> scene.host.listen(guest.id, VmEventRing.Kind.MONITOR);
      case ON_DEMAND -> promise(guest);
      case BACKEND, PARAVIRTUAL, SHARING, DISPLAYED, SERVED -> {}
    }
  }

  /** Memory that waits, and frames for all of it or for less. */
  private void promise(Guest guest) {
    int order = 2 + scene.random.nextInt(8);
    scene.host.promise(guest.id, 0, order);
    LongStream.range(0, 1L << order).forEach(guest.waiting::add);
    fund(guest);
  }

  private void fund(Guest guest) {
    long target = 1L + scene.random.nextInt(guest.waiting.size());
    scene.host.fund(guest.id, Math.min(guest.limit, target));
  }

  /** A domain whose pages others map stays, dying, until the last of them is unmapped. */
  private void destroy(Guest guest) {
    check.everything(guest);
    scene.devices.forget(guest.id);
    List<Slot> held = scene.model.slotsInto(guest.id);
    long kept = held.stream().map(scene.model.mappings::get).map(Mapping::frame).distinct().count();

    assertThat(scene.host.destroy(guest.id)).isZero();

    scene.model.guests.remove(guest.id);
    for (Slot own : scene.model.slotsOf(guest.id)) {
      scene.model.mappings.remove(own).frame().unreference();
    }
    guest.pages.values().stream()
        .filter(page -> page.kind() == MemoryModel.Kind.SHARED)
        .forEach(page -> page.frame().sharers--);
    if (kept > 0) {
      assertThat(scene.host.domain(guest.id).isDying()).isTrue();
      assertThat(scene.host.domain(guest.id).reservation().totalPages()).isEqualTo(kept);
      requireConsistent();
      assertThat(scene.devices.violations()).isEmpty();
      scene.took(true, Effect.DESTROY_A_ZOMBIE);
    }
    held.forEach(lending::unmap);
    assertThat(hypervisor.domains().find(guest.id).isPresent())
        .isEqualTo(scene.model.isTarget(guest.id));
    guest
        .target
        .filter(id -> !scene.model.guests.containsKey(id))
        .ifPresent(id -> assertThat(hypervisor.domains().find(id)).isEmpty());
  }
}
