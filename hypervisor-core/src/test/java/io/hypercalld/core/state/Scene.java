package io.hypercalld.core.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.state.MemoryModel.Guest;
import io.hypercalld.core.state.MemoryModel.Kind;
import io.hypercalld.core.state.MemoryModel.Page;
import io.hypercalld.core.state.MemoryModel.Role;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** What operations act on: machine, devices, model and dice; and what they did. */
final class Scene {
  /** Guest frames that are used at random. */
  static final int GFNS = 0x200;

  final MemoryModel model = new MemoryModel();

  /** How often each kind of operation had its effect. */
  final EnumMap<Effect, Integer> effects = new EnumMap<>(Effect.class);

  final StateHost host;
  final Devices devices;
  final Servers servers;
  final RandomGenerator random;

  /** Guest frames that the operations of this step are about. */
  final Set<Long> touched = new HashSet<>();

  private long stamp;

  Scene(Surroundings around, RandomGenerator random) {
    this.host = new StateHost(around);
    this.devices = around.devices();
    this.servers = around.servers();
    this.random = random;
  }

  void took(boolean did, Effect effect) {
    if (did) {
      effects.merge(effect, 1, Integer::sum);
    }
  }

  long gfn() {
    long gfn = random.nextInt(GFNS);
    touched.add(gfn);
    return gfn;
  }

  /** A guest frame, more often than not one that is mapped. */
  long gfn(Guest guest) {
    long from = gfn();
    Long mapped = guest.pages.ceilingKey(from);
    long gfn = mapped == null || random.nextInt(4) == 0 ? from : mapped;
    touched.add(gfn);
    return gfn;
  }

  <T> T oneOf(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  /** Contents that no page has had. */
  long newStamp() {
    stamp++;
    return stamp;
  }

  /** Frames that the guest may still take. */
  long room(Guest guest) {
    return Math.max(0, guest.limit - guest.frames - cached(guest));
  }

  /** Frames that are charged to the guest and wait for its demands. */
  long cached(Guest guest) {
    return guest.role == Role.ON_DEMAND
        ? host.domain(guest.id).features().populateOnDemand().cachedPages()
        : 0;
  }

  /**
   * Has the guest touch a page that waits, so that the next operation finds memory. Answers whether
   * it does: the guest would crash where no frame is left.
   */
  boolean demand(Guest guest, long gfn) {
    if (!mayDemand(guest, gfn)) {
      return false;
    }
    if (guest.waiting.contains(gfn)) {
      host.access(guest.id, GuestRequest.Operation.READ, gfn, 0);
      took(true, Effect.POPULATE_ON_DEMAND);
      settle(guest);
    }
    return true;
  }

  /** Whether there is a frame for a page if it waits: a sweep for zeros may or may not find one. */
  boolean mayDemand(Guest guest, long gfn) {
    return !guest.waiting.contains(gfn) || cached(guest) > 0;
  }

  /**
   * Whether the guest has a page that a sweep for zeros finds: not its very first, nor one above
   * what it ever demanded.
   */
  boolean hasZeros(Guest guest) {
    return guest.pages.headMap(guest.highestDemanded, true).entrySet().stream()
        .anyMatch(entry -> entry.getKey() > 0 && isReclaimable(entry.getValue()));
  }

  private static boolean isReclaimable(Page page) {
    return (page.kind() == Kind.RAM || page.kind() == Kind.READ_ONLY)
        && page.frame().stamp == 0
        && page.frame().references == 0;
  }

  /** What waited and does not any more is memory that holds zeros; other such memory may wait. */
  void settle(Guest guest) {
    if (guest.role != Role.ON_DEMAND) {
      return;
    }
    for (long gfn : List.copyOf(guest.pages.keySet())) {
      if (waits(guest, gfn)) {
        Page taken = guest.unmap(gfn);
        assertThat(taken).matches(Scene::isReclaimable);
        taken.frame().release();
        guest.waiting.add(gfn);
        took(true, Effect.RECLAIM_ZEROES);
      }
    }
    for (long gfn : List.copyOf(guest.waiting)) {
      if (!waits(guest, gfn)) {
        guest.highestDemanded = Math.max(guest.highestDemanded, gfn);
        guest.populate(gfn);
      }
    }
  }

  private boolean waits(Guest guest, long gfn) {
    return host.lookup(guest.id, gfn).type() == P2mType.POPULATE_ON_DEMAND;
  }
}
