package io.hypercalld.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.MemoryModel.Frame;
import io.hypercalld.core.MemoryModel.Guest;
import io.hypercalld.core.MemoryModel.Kind;
import io.hypercalld.core.MemoryModel.Mapping;
import io.hypercalld.core.MemoryModel.Page;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random operations on the memory of several domains and of what they share, held against maps:
 * contents, types, owners, references and what devices would reach.
 */
class MemoryStateTest {
  private static final int STEPS = 25_000;
  private static final int EACH_CHECKED = 2_500;
  private static final int MOST_GUESTS = 5;
  private static final int SLOTS = 48;

  private final MemoryModel model = new MemoryModel();
  private final Map<DomainId, TreeMap<Long, Long>> devices = new TreeMap<>();
  private StateHost host = new StateHost();
  private RandomGenerator random = RandomGenerator.getDefault();
  private final TreeMap<String, Integer> effects = new TreeMap<>();
  private long stamp;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void randomOperations_agreeWithTheMapsAndEndWhereTheyBegan(long seed) {
    host.close();
    try (StateHost own = new StateHost()) {
      host = own;
      random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      long freeBefore = host.freeFrames();
      for (int step = 0; step < STEPS; step++) {
        String when = "seed %d step %d".formatted(seed, step);
        step(when);
        // A look at everything costs more than the step, so later ones are looked at in tens.
        if (step < EACH_CHECKED || step % 10 == 0) {
          assertThat(host.violations()).as(when).isEmpty();
        }
        if (step % 200 == 0) {
          model.guests.forEach((id, guest) -> check(when, id, guest));
        }
      }
      assertThat(effects.values()).as("%s", effects).hasSize(19).allMatch(times -> times > 20);
      List.copyOf(model.mappings.keySet()).forEach(this::unmap);
      List.copyOf(model.guests.keySet()).forEach(id -> destroy("seed " + seed, id));
      assertThat(host.freeFrames()).isEqualTo(freeBefore);
      assertThat(host.violations()).isEmpty();
    }
  }

  private void step(String when) {
    boolean few = model.guests.size() < MOST_GUESTS;
    if (model.guests.isEmpty() || (few && random.nextInt(50) == 0)) {
      create();
      return;
    }
    List<DomainId> ids = new ArrayList<>(model.guests.keySet());
    DomainId id = ids.get(random.nextInt(ids.size()));
    Guest guest = guest(id);
    operate(when, id, guest);
    if (model.guests.containsKey(id)) {
      Domain domain = host.domain(id);
      assertThat(domain.isShutDown()).as("%s: %s", when, domain.crashReason()).isFalse();
      assertThat(domain.populateOnDemand().entries()).as(when).isEqualTo(guest.waiting.size());
      assertThat(domain.totalPages() - cached(id)).as(when).isEqualTo(guest.frames);
    }
  }

  private void operate(String when, DomainId id, Guest guest) {
    switch (random.nextInt(26)) {
      case 0, 1 -> populate(id, guest);
      case 2 -> populateLarge(id, guest, random.nextInt(4) * 512L);
      case 3, 4 -> decrease(id, guest);
      case 5, 6 -> move(when, id, guest);
      case 7 -> remove(id, guest, gfn());
      case 8, 9, 10 -> write(when, id, guest, gfn());
      case 11 -> read(when, id, guest, gfn());
      case 12, 13 -> setMemType(when, id, guest);
      case 14 -> watch(when, id, guest);
      case 15, 16 -> mapForeign(when, id, guest);
      case 17, 18 -> mapGrant(when, id, guest);
      case 19, 20 -> unmapOne();
      case 21 -> writeThroughMapping(when);
      case 22 -> nominate(when, id, guest, gfn());
      case 23 -> evict(when, id, guest);
      case 24 -> prepare(when, id, guest);
      default -> {
        if (random.nextInt(20) == 0) {
          destroy(when, id);
        }
      }
    }
  }

  private void took(boolean effect, String operation) {
    if (effect) {
      effects.merge(operation, 1, Integer::sum);
    }
  }

  private Guest guest(DomainId id) {
    return java.util.Objects.requireNonNull(model.guests.get(id));
  }

  private long gfn() {
    return random.nextInt(StateHost.GFNS);
  }

  private long cached(DomainId id) {
    return host.domain(id).populateOnDemand().cachedPages();
  }

  private void create() {
    boolean pager = random.nextInt(3) == 0;
    boolean onDemand = !pager && random.nextBoolean();
    Guest guest = new Guest();
    guest.limit = 3000L + random.nextInt(2000);
    guest.hasPager = pager;
    DomainId id = host.createGuest(guest.limit, !pager && !onDemand);
    TreeMap<Long, Long> reached = new TreeMap<>();
    host.mirror(id, reached);
    devices.put(id, reached);
    if (pager) {
      host.enablePager(id);
    }
    guest.frames = host.domain(id).totalPages();
    if (onDemand) {
      host.promise(id, 0x400, 9);
      for (long gfn = 0x400; gfn < 0x600; gfn++) {
        guest.waiting.add(gfn);
      }
      host.fund(id, guest.frames + guest.waiting.size());
    }
    model.guests.put(id, guest);
    took(true, "create");
  }

  private void populate(DomainId id, Guest guest) {
    int count = 1 + random.nextInt(40);
    long first = random.nextInt(StateHost.GFNS - count);
    long[] gfns =
        random.nextBoolean()
            ? random.longs(count, 0, StateHost.GFNS).toArray()
            : java.util.stream.LongStream.range(first, first + count).toArray();
    long room = guest.limit - guest.frames - cached(id);

    long done = host.populate(id, 0, SimulatedHost.frames(gfns));

    assertThat(done).isEqualTo(Math.min(count, room));
    took(done > 0, "populate");
    took(done < count, "populate up to the limit");
    for (int i = 0; i < done; i++) {
      populated(guest, gfns[i]);
    }
  }

  private void populateLarge(DomainId id, Guest guest, long gfn) {
    long room = guest.limit - guest.frames - cached(id);

    long done = host.populate(id, 9, SimulatedHost.frames(gfn));

    assertThat(done).isEqualTo(room >= 512 ? 1 : 0);
    took(done > 0, "populate 2 MiB");
    for (long i = 0; i < 512 * done; i++) {
      populated(guest, gfn + i);
    }
  }

  private static void populated(Guest guest, long gfn) {
    guest.populate(gfn);
    if (guest.isWatched) {
      guest.written.add(gfn);
    }
  }

  private void decrease(DomainId id, Guest guest) {
    long gfn = gfn();

    long done = host.populateNot(id, gfn);

    boolean gone = guest.pages.containsKey(gfn) || guest.waiting.remove(gfn);
    assertThat(done).isEqualTo(gone ? 1 : 0);
    took(gone, "decrease");
    Page page = guest.pages.remove(gfn);
    if (page != null) {
      page.frame().release();
      guest.written.remove(gfn);
    }
  }

  private void move(String when, DomainId id, Guest guest) {
    long from = gfn();
    long to = gfn();
    demand(id, guest, from);
    demand(id, guest, to);
    Page page = guest.pages.get(from);
    boolean plain = page != null && page.kind() == Kind.RAM;
    if (guest.pagedOut.containsKey(to)) {
      return;
    }

    long ret = host.move(id, from, to);

    assertThat(ret).as(when).isEqualTo(plain ? 0 : -13);
    took(plain, "move");
    if (page != null && plain && from != to) {
      guest.pages.remove(from);
      guest.written.remove(from);
      Page replaced = guest.pages.put(to, page);
      if (replaced != null) {
        replaced.frame().release();
      }
      if (guest.isWatched) {
        guest.written.add(to);
      }
    }
  }

  private void remove(DomainId id, Guest guest, long gfn) {
    demand(id, guest, gfn);

    long ret = host.remove(id, gfn);

    assertThat(ret).isEqualTo(guest.pages.remove(gfn) == null ? -2 : 0);
    took(ret == 0, "remove");
    guest.written.remove(gfn);
  }

  /** Has the guest touch a page that waits, so that the next operation finds memory. */
  private void demand(DomainId id, Guest guest, long gfn) {
    if (guest.waiting.contains(gfn)) {
      host.access(id, Operation.READ, gfn, 0);
      took(true, "populate on demand");
      settle(id, guest);
    }
  }

  /** What does not wait any more is memory that holds zeros. */
  private void settle(DomainId id, Guest guest) {
    for (long gfn : List.copyOf(guest.waiting)) {
      if (host.lookup(id, gfn).type() != P2mType.POPULATE_ON_DEMAND) {
        populated(guest, gfn);
      }
    }
  }

  private void write(String when, DomainId id, Guest guest, long gfn) {
    if (guest.pagedOut.containsKey(gfn) || isNominated(guest, gfn)) {
      return;
    }
    stamp++;

    AccessOutcome outcome = host.access(id, Operation.WRITE, gfn, stamp);

    settle(id, guest);
    Page page = guest.pages.get(gfn);
    if (page == null) {
      assertThat(outcome.outcome()).as(when).isEqualTo(Verdict.EMULATED);
    } else if (page.kind() == Kind.READ_ONLY) {
      assertThat(outcome.outcome()).as(when).isEqualTo(Verdict.DISCARDED);
      took(true, "write to a page that is read-only");
    } else {
      assertThat(outcome.outcome()).as(when).isEqualTo(Verdict.DONE);
      took(guest.isWatched, "write while watched");
      page.frame().stamp = stamp;
      if (guest.isWatched) {
        guest.written.add(gfn);
      }
    }
  }

  private static boolean isNominated(Guest guest, long gfn) {
    Page page = guest.pages.get(gfn);
    return page != null && page.kind() == Kind.NOMINATED;
  }

  private void read(String when, DomainId id, Guest guest, long gfn) {
    if (guest.pagedOut.containsKey(gfn) || isNominated(guest, gfn)) {
      return;
    }

    AccessOutcome outcome = host.access(id, Operation.READ, gfn, 0);

    settle(id, guest);
    Page page = guest.pages.get(gfn);
    assertThat(outcome.data()).as(when).contains(new Word(page == null ? -1 : page.frame().stamp));
  }

  private void setMemType(String when, DomainId id, Guest guest) {
    long first = gfn();
    long count = 1L + random.nextInt(3);
    boolean readOnly = random.nextBoolean();
    boolean ram = true;
    for (long gfn = first; gfn < first + count; gfn++) {
      demand(id, guest, gfn);
      ram &= !guest.pagedOut.containsKey(gfn) && !isNominated(guest, gfn);
    }
    if (!ram || first + count > host.domain(id).p2m().maxMappedGfn().value()) {
      return;
    }

    long ret = host.setMemType(id, first, count, readOnly ? 1 : 0);

    long done = 0;
    while (done < count && guest.pages.containsKey(first + done)) {
      Page page = java.util.Objects.requireNonNull(guest.pages.get(first + done));
      guest.pages.put(first + done, new Page(readOnly ? Kind.READ_ONLY : Kind.RAM, page.frame()));
      done++;
    }
    assertThat(ret).as(when).isEqualTo(done == count ? 0 : -22);
    took(done == count, "set_mem_type");
  }

  private void watch(String when, DomainId id, Guest guest) {
    if (!guest.isWatched) {
      assertThat(host.logDirty(id, true)).as(when).isZero();
      guest.isWatched = true;
    } else if (random.nextInt(4) == 0) {
      assertThat(host.logDirty(id, false)).as(when).isZero();
      guest.isWatched = false;
    } else {
      assertThat(host.cleaned(id)).as(when).containsAll(guest.written);
      took(!guest.written.isEmpty(), "clean");
    }
    guest.written.clear();
  }

  private long freeSlot() {
    long slot = StateHost.DOM0_SLOTS + random.nextInt(SLOTS);
    return model.mappings.containsKey(slot) ? -1 : slot;
  }

  private void mapForeign(String when, DomainId id, Guest guest) {
    long gfn = gfn();
    long slot = StateHost.DOM0_SLOTS + random.nextInt(SLOTS);
    demand(id, guest, gfn);
    Page page = guest.pages.get(gfn);

    int errno = host.mapForeign(id, gfn, slot);

    if (page == null) {
      assertThat(errno).as(when).isEqualTo(-22);
    } else if (model.mappings.containsKey(slot)) {
      assertThat(errno).as(when).isEqualTo(-6);
    } else {
      assertThat(errno).as(when).isZero();
      page.frame().references++;
      model.mappings.put(slot, new Mapping(page.frame(), id, 0, false, -1));
      took(true, "foreign");
    }
  }

  private void mapGrant(String when, DomainId id, Guest guest) {
    long gfn = gfn();
    long slot = freeSlot();
    boolean readonly = random.nextBoolean();
    if (slot < 0) {
      return;
    }
    demand(id, guest, gfn);
    long ref = slot - StateHost.DOM0_SLOTS;
    Page page = guest.pages.get(gfn);

    StateHost.Granted granted = host.mapGrant(id, new StateHost.Grant(gfn, ref, readonly), slot);

    boolean there = page != null && page.kind() != Kind.NOMINATED;
    assertThat(granted.status() == 0).as("%s: %s", when, granted).isEqualTo(there);
    if (page != null && there) {
      page.frame().references++;
      model.mappings.put(slot, new Mapping(page.frame(), id, ref, readonly, granted.handle()));
      took(true, "grant");
    }
  }

  private void unmapOne() {
    if (!model.mappings.isEmpty()) {
      List<Long> slots = new ArrayList<>(model.mappings.keySet());
      unmap(slots.get(random.nextInt(slots.size())));
    }
  }

  private void unmap(long slot) {
    Mapping mapping = java.util.Objects.requireNonNull(model.mappings.remove(slot));
    if (mapping.isGrant()) {
      assertThat(host.unmapGrant(slot, mapping.handle())).isZero();
    } else {
      assertThat(host.remove(DomainId.DOM0, slot)).isZero();
    }
    mapping.frame().unreference();
  }

  private void writeThroughMapping(String when) {
    for (Map.Entry<Long, Mapping> entry : model.mappings.entrySet()) {
      Mapping mapping = entry.getValue();
      assertThat(host.read(DomainId.DOM0, entry.getKey()))
          .as(when)
          .isEqualTo(mapping.frame().stamp);
    }
    if (!model.mappings.isEmpty()) {
      Map.Entry<Long, Mapping> entry = model.mappings.firstEntry();
      stamp++;
      boolean written = host.write(DomainId.DOM0, entry.getKey(), stamp);
      assertThat(written).as(when).isEqualTo(!entry.getValue().readonly());
      if (written) {
        entry.getValue().frame().stamp = stamp;
        took(true, "write through a mapping");
      }
    }
  }

  private void nominate(String when, DomainId id, Guest guest, long gfn) {
    Page page = guest.pages.get(gfn);
    boolean fits = page != null && page.kind() == Kind.RAM && page.frame().references == 0;

    long ret = host.paging(id, 0, gfn);

    if (!guest.hasPager) {
      assertThat(ret).as(when).isEqualTo(-19);
    } else if (page != null && fits) {
      assertThat(ret).as(when).isZero();
      guest.pages.put(gfn, new Page(Kind.NOMINATED, page.frame()));
      took(true, "nominate");
    } else {
      assertThat(ret).as(when).isEqualTo(-16);
    }
  }

  private void evict(String when, DomainId id, Guest guest) {
    for (Map.Entry<Long, Page> entry : List.copyOf(guest.pages.entrySet())) {
      Page page = entry.getValue();
      if (page.kind() == Kind.NOMINATED) {
        boolean fits = page.frame().references == 0;
        assertThat(host.paging(id, 1, entry.getKey())).as(when).isEqualTo(fits ? 0 : -16);
        if (fits) {
          guest.pagedOut.put(entry.getKey(), page.frame().stamp);
          guest.pages.remove(entry.getKey());
          guest.written.remove(entry.getKey());
          page.frame().release();
          took(true, "evict");
        }
        return;
      }
    }
  }

  private void prepare(String when, DomainId id, Guest guest) {
    Map.Entry<Long, Long> paged = guest.pagedOut.firstEntry();
    if (paged != null) {
      boolean room = guest.frames < guest.limit;
      long ret = host.pageIn(id, paged.getKey(), paged.getValue());
      assertThat(ret).as(when).isEqualTo(room ? 0 : -12);
      if (room) {
        guest.pagedOut.remove(paged.getKey());
        Frame frame = new Frame(guest);
        frame.stamp = paged.getValue();
        guest.pages.put(paged.getKey(), new Page(Kind.RAM, frame));
        took(true, "page in");
      }
    }
  }

  /** A domain whose pages others map stays, dying, until the last of them is unmapped. */
  private void destroy(String when, DomainId id) {
    Guest guest = guest(id);
    check(when, id, guest);
    List<Long> slots =
        model.mappings.entrySet().stream()
            .filter(entry -> entry.getValue().owner().equals(id))
            .map(Map.Entry::getKey)
            .toList();
    long kept =
        slots.stream().map(slot -> model.mappings.get(slot)).map(m -> m.frame()).distinct().count();

    assertThat(host.destroy(id)).as(when).isZero();

    if (kept > 0) {
      took(true, "destroy while others map pages");
      assertThat(host.domain(id).isDying()).as(when).isTrue();
      assertThat(host.domain(id).totalPages()).as(when).isEqualTo(kept);
    }
    slots.forEach(this::unmap);
    assertThat(host.exists(id)).as(when).isFalse();
    model.guests.remove(id);
    devices.remove(id);
  }

  private void check(String when, DomainId id, Guest guest) {
    TreeMap<Long, Long> reached = java.util.Objects.requireNonNull(devices.get(id));
    for (long gfn = 0; gfn < StateHost.GFNS; gfn++) {
      assertThat(typeFits(guest, gfn, host.lookup(id, gfn).type()))
          .as("%s: %s of %s is %s", when, Long.toHexString(gfn), id, host.lookup(id, gfn).type())
          .isTrue();
      Page page = guest.pages.get(gfn);
      boolean dma = page != null && page.kind() != Kind.NOMINATED;
      Long frame = reached.get(gfn);
      assertThat(frame == null ? -1 : frame)
          .as("%s: devices of %s at %s", when, id, Long.toHexString(gfn))
          .isEqualTo(dma ? host.lookup(id, gfn).mfn().value() : -1);
    }
    guest.pages.forEach(
        (gfn, page) -> {
          if (page.kind() != Kind.NOMINATED) {
            assertThat(host.read(id, gfn)).as(when).isEqualTo(page.frame().stamp);
          }
          assertThat(host.references(id, gfn)).as(when).isEqualTo(1 + page.frame().references);
        });
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
      case RAM -> type == P2mType.RAM_RW || (guest.isWatched && type == P2mType.RAM_LOGDIRTY);
      case READ_ONLY -> type == P2mType.RAM_RO;
      case NOMINATED -> type == P2mType.RAM_PAGING_OUT;
    };
  }
}
