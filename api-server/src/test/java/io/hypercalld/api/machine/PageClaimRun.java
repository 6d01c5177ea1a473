package io.hypercalld.api.machine;

import static io.hypercalld.api.machine.PageClaimAccesses.CELLS;
import static io.hypercalld.api.machine.PageClaimAccesses.MMIO;
import static io.hypercalld.api.machine.PageClaimAccesses.VCPUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.SetMemType;
import io.hypercalld.core.hypercall.ShadowOp;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.dispatch.DomainIo;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.hypercall.MapIoRange;
import io.hypercalld.ioreq.hypercall.MapMemType;
import io.hypercalld.ioreq.hypercall.SetIoreqServerState;
import io.hypercalld.ioreq.hypercall.UnmapIoRange;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.LongStream;

/** One random run: what is done to the machine, and to the model of it. */
final class PageClaimRun implements AutoCloseable {
  private static final int RUN = 8;

  /** Guest frames that are tagged and accessed: some of three leaves of 2 MiB. */
  private static final List<Long> PAGES =
      LongStream.of(0, 508, 1000)
          .flatMap(first -> LongStream.range(first, first + RUN))
          .boxed()
          .toList();

  private static final List<P2mType> TYPES = List.copyOf(P2mType.IOREQ);
  private static final int RAM_RW = 0;
  private static final int IOREQ_SERVER = 4;
  private static final int MEMORY = 1;
  private static final int LOG_DIRTY_ON = 2;
  private static final int LOG_DIRTY_OFF = 0;
  private static final int CLEAN = 11;

  private final Machine machine =
      new Machine(PlatformSource.named("two-socket").load().platform().withMemory(2L << 30));
  private final RandomGenerator random;
  private final ClaimPolicies policies;
  private final Domain guest;
  private final long freeFrames;
  private final PageClaimModel model;
  private final PageClaimAccesses accesses;
  private final PreemptedRelease sweep;
  private long steps;

  PageClaimRun(ClaimPolicies policies, long seed) {
    this.policies = policies;
    this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    this.model = new PageClaimModel(policies);
    this.sweep = new PreemptedRelease(machine, model);
    this.freeFrames = machine.hypervisor().allocator().unclaimedFrames();
    this.guest =
        machine.execute(
            new ComposeDomain(
                Optional.empty(),
                Optional.empty(),
                DomainType.HVM,
                4 << 20,
                VCPUS,
                MemoryPolicies.usual()));
    machine.execute(ChooseDomainPolicies.of(guest.id(), ClaimChoices.all(policies)));
    this.accesses = new PageClaimAccesses(machine, guest, model, random);
  }

  String digest() {
    return machine.digest();
  }

  void step() {
    steps++;
    switch (random.nextInt(16)) {
      case 0, 1 -> create();
      case 2 -> destroy(random.nextInt(4));
      case 3 -> enable(random.nextInt(4), random.nextBoolean());
      case 4 -> mapRange(random.nextInt(4));
      case 5 -> unmapRange(random.nextInt(4));
      case 6, 7 -> claim(random.nextInt(5), random.nextInt(4));
      case 8 -> release(random.nextInt(4), random.nextInt(4));
      case 9, 10 -> tag(random.nextInt(4));
      case 11 -> untag();
      case 12 -> logDirty();
      case 13 -> accesses.readMmio();
      default -> accesses.access(page());
    }
    if (random.nextInt(3) == 0) {
      accesses.answerSomebody();
    }
    if (random.nextInt(4) == 0) {
      sweep.goOn();
    }
    check();
  }

  private long page() {
    return PAGES.get(random.nextInt(PAGES.size()));
  }

  private void create() {
    if (model.servers().size() == 8) {
      return;
    }
    int id = machine.execute(new ComposeServer(guest.id(), BufferedMode.OFF, List.of(), true)).id();
    model.created(id);
  }

  private void destroy(int server) {
    List<Integer> abandoned = accesses.waitingFor(server);
    expect(
        new DestroyIoreqServer(guest.id(), server, 0),
        model.servers().contains(server) ? Optional.empty() : Optional.of(Errno.ENOENT));
    if (!model.servers().contains(server)) {
      return;
    }
    model.destroyed(server);
    model.settle(gfn -> guest.p2m().lookup(new Gfn(gfn)).type());
    abandoned.forEach(accesses::resume);
  }

  private void enable(int server, boolean enabled) {
    boolean known = model.servers().contains(server);
    expect(
        new SetIoreqServerState(guest.id(), server, enabled ? 1 : 0, 0),
        known ? Optional.empty() : Optional.of(Errno.ENOENT));
    if (known) {
      model.enable(server, enabled);
    }
  }

  private void mapRange(int server) {
    int first = random.nextInt(CELLS);
    int last = Math.min(CELLS - 1, first + random.nextInt(4));
    Optional<Errno> expected = model.mapping(server, first, last);
    NumberRange range = cells(first, last);
    expect(
        new MapIoRange(
            guest.id(), server, 0, MEMORY, new Word(range.first()), new Word(range.last())),
        expected);
    if (expected.isEmpty()) {
      model.cells(server).set(first, last + 1);
    }
  }

  private void unmapRange(int server) {
    int first = random.nextInt(CELLS);
    int last = Math.min(CELLS - 1, first + random.nextInt(4));
    Optional<Errno> expected = model.unmapping(server, first, last);
    NumberRange range = cells(first, last);
    expect(
        new UnmapIoRange(
            guest.id(), server, 0, MEMORY, new Word(range.first()), new Word(range.last())),
        expected);
    if (expected.isEmpty()) {
      model.cells(server).clear(first, last + 1);
    }
  }

  private static NumberRange cells(int first, int last) {
    return new NumberRange(MMIO + first * 16L, MMIO + last * 16L + 15);
  }

  private void claim(int type, int server) {
    boolean all = policies.access() == ClaimAccess.ALL;
    Optional<Errno> expected = model.claiming(type, server, guest.p2m());
    expect(mapping(type, server, all ? 3 : 2), expected);
    expect(mapping(type, server, 1), Optional.of(Errno.EINVAL));
    if (expected.isEmpty()) {
      model.owners().put(TYPES.get(type), server);
    }
  }

  private void release(int type, int server) {
    Optional<Errno> expected = model.releasing(type, server);
    if (expected.isPresent()) {
      expect(mapping(type, server, 0), expected);
      return;
    }
    boolean marks = guest.p2m().entries(TYPES.get(type)) > 0;
    if (!sweep.isStopped() && random.nextBoolean()) {
      model.releasing(TYPES.get(type), marks);
      sweep.begin(TYPES.get(type), mapping(type, server, 0));
    } else {
      expect(mapping(type, server, 0), expected);
      model.released(TYPES.get(type), marks);
    }
  }

  private MapMemType mapping(int type, int server, long flags) {
    return new MapMemType(guest.id(), server, IOREQ_SERVER + type, flags, new Word(0));
  }

  private void tag(int type) {
    int at = random.nextInt(PAGES.size());
    long first = PAGES.get(at);
    // No run goes beyond the eight pages around it.
    long count = 1L + random.nextInt(Math.min(3, RUN - at % RUN));
    Optional<Errno> expected = model.tagging(type);
    long tagged = 0;
    while (expected.isEmpty() && tagged < count) {
      P2mType now = guest.p2m().lookup(new Gfn(first + tagged)).type();
      if (now == P2mType.RAM_RW) {
        model.tagged(first + tagged, TYPES.get(type));
        tagged++;
      } else {
        expected = Optional.of(Errno.EINVAL);
      }
    }
    var call = new SetMemType(guest.id(), count, IOREQ_SERVER + type, 0, new Gfn(first));
    if (tagged == 0) {
      expect(call, expected);
    } else {
      assertThat(refusal(call)).isEqualTo(expected);
    }
  }

  private void untag() {
    int at = random.nextInt(PAGES.size());
    long first = PAGES.get(at);
    // No run goes beyond the eight pages around it.
    long count = 1L + random.nextInt(Math.min(3, RUN - at % RUN));
    expect(new SetMemType(guest.id(), count, RAM_RW, 0, new Gfn(first)), Optional.empty());
    LongStream.range(first, first + count).forEach(model.tags()::remove);
  }

  private void logDirty() {
    boolean on = guest.logDirty().isEnabled();
    int op =
        on && random.nextBoolean() ? CLEAN : random.nextBoolean() ? LOG_DIRTY_ON : LOG_DIRTY_OFF;
    Optional<Errno> expected = Optional.empty();
    if (op == LOG_DIRTY_ON && on) {
      expected = Optional.of(Errno.EINVAL);
    } else if (op == LOG_DIRTY_ON && guest.p2m().entries(P2mType.IOREQ) > 0) {
      expected = Optional.of(Errno.EBUSY);
    }
    expect(new ShadowOp(guest.id(), op, 0, 0, Optional.of(1024L)), expected);
    if (expected.isEmpty() && (on || op == LOG_DIRTY_ON)) {
      model.marked();
    }
  }

  private void expect(Hypercall call, Optional<Errno> expected) {
    String before = expected.isPresent() ? digest() : "";
    assertThat(refusal(call)).as("%s at step %d", call, steps).isEqualTo(expected);
    if (expected.isPresent()) {
      assertThat(digest()).as("what %s left", call).isEqualTo(before);
    }
  }

  private Optional<Errno> refusal(Hypercall call) {
    return machine.call(DomainId.DOM0, call) instanceof Outcome.Refused refused
        ? Optional.of(refused.errno())
        : Optional.empty();
  }

  private void check() {
    for (P2mType type : TYPES) {
      long tagged = model.tags().values().stream().filter(type::equals).count();
      long stored = guest.p2m().entries(type);
      assertThat(stored).as("%s at step %d", type, steps).isGreaterThanOrEqualTo(tagged);
      assertThat(model.hasStale() || stored == tagged).as("%s: %d", type, stored).isTrue();
    }
    for (long gfn : PAGES) {
      P2mType now = guest.p2m().lookup(new Gfn(gfn)).type();
      assertThat(Optional.of(now).filter(P2mType.IOREQ::contains)).isEqualTo(model.tag(gfn));
      assertThat(machine.hypervisor().memory().readWord(accesses.maddr(gfn)))
          .as("guest frame %d at step %d", gfn, steps)
          .isEqualTo(model.memory().getOrDefault(gfn, 0L));
    }
    accesses.check();
    assertThat(guest.facet(DomainIo.class).counters().lostWrites()).isEqualTo(model.lost());
    if (steps % 10 == 0) {
      assertThat(machine.violations()).isEmpty();
    }
  }

  /** Everything is given back: nothing of it is left in the machine. */
  void end() {
    while (sweep.isStopped()) {
      sweep.goOn();
    }
    while (accesses.isAnybodyWaiting()) {
      accesses.answerSomebody();
    }
    List.copyOf(model.servers()).forEach(this::destroy);
    PAGES.forEach(
        gfn -> expect(new SetMemType(guest.id(), 1, RAM_RW, 0, new Gfn(gfn)), Optional.empty()));
    model.tags().clear();
    assertThat(guest.p2m().entries(P2mType.IOREQ)).isZero();
    assertThat(policies.unclaimed() == Unclaimed.DISCARD || model.lost() == 0).isTrue();
    expect(new DestroyDomain(guest.id()), Optional.empty());
    assertThat(machine.hypervisor().allocator().unclaimedFrames()).isEqualTo(freeFrames);
    assertThat(machine.violations()).isEmpty();
  }

  @Override
  public void close() {
    machine.close();
  }
}
