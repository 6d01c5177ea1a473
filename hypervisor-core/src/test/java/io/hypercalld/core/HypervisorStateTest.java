package io.hypercalld.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.IncreaseReservation;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random operations on several domains, held against maps from guest frame to contents. */
class HypervisorStateTest {
  private static final int GFNS = 0x1000;
  private static final int MOST_DOMAINS = 5;

  /** What a domain should be: what its pages hold, and how many frames it is charged for. */
  private static final class Expected {
    final TreeMap<Long, Long> pages = new TreeMap<>();
    long charged;
    long limit;
  }

  private final TreeMap<DomainId, Expected> model = new TreeMap<>();
  private long stamp;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void randomOperations_agreeWithTheModelAndEndWhereTheyBegan(long seed) {
    try (SimulatedHost host = SimulatedHost.booted()) {
      RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      long freeBefore = host.hypervisor().allocator().freeFrames();

      for (int step = 0; step < 600; step++) {
        step(host, random);
        assertThat(new CoreInvariants(host.hypervisor()).violations())
            .as("seed %d step %d", seed, step)
            .isEmpty();
      }
      model.forEach((id, expected) -> check(host, id, expected));
      List.copyOf(model.keySet()).forEach(id -> destroy(host, id));

      assertThat(host.hypervisor().allocator().freeFrames()).isEqualTo(freeBefore);
      assertThat(host.hypervisor().domains().all()).hasSize(1);
      assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    }
  }

  @Test
  void sameSeed_endsInTheSameDigest() {
    assertThat(digestAfter(300)).isEqualTo(digestAfter(300));
  }

  @Test
  void everyDomainDestroyed_leavesTheDigestThatWasBeforeTheFirst() {
    try (SimulatedHost host = SimulatedHost.booted()) {
      DomainId id = new DomainId(5);
      String before = host.digest();
      host.create(id, SimulatedHost.HVM_HAP);
      host.limit(id, 100_000);
      host.populate(id, 9, 0, 0x200, 0x401);
      host.populate(id, 0, GuestFrames.consecutive(new Gfn(0x10_0000), 5000));
      host.move(id, 3, 0x2_0000);
      host.hypervisor().guestMemory().write(host.domain(id), 0x200_000, new byte[10_000]);

      host.destroy(id);

      assertThat(host.digest()).isEqualTo(before);
    }
  }

  private String digestAfter(int steps) {
    model.clear();
    stamp = 0;
    try (SimulatedHost host = SimulatedHost.booted()) {
      RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(99);
      for (int step = 0; step < steps; step++) {
        step(host, random);
      }
      return host.digest();
    }
  }

  private void step(SimulatedHost host, RandomGenerator random) {
    if (model.isEmpty() || (model.size() < MOST_DOMAINS && random.nextInt(20) == 0)) {
      DomainId id = host.create(SimulatedHost.HVM_HAP);
      Expected fresh = new Expected();
      fresh.limit = 2000L + random.nextInt(4000);
      host.limit(id, fresh.limit);
      model.put(id, fresh);
      return;
    }
    List<DomainId> ids = new ArrayList<>(model.keySet());
    DomainId id = ids.get(random.nextInt(ids.size()));
    Expected expected = expected(id);
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> populatePages(host, id, expected, random);
      case 3 -> populateLarge(host, id, expected, random.nextInt(GFNS));
      case 4, 5 -> decrease(host, id, expected, random);
      case 6, 7 -> move(host, id, expected, random);
      case 8 -> remove(host, id, expected, random.nextInt(GFNS));
      case 9 -> increase(host, id, expected, random.nextInt(4));
      case 10 -> write(host, id, expected, random);
      default -> {
        if (random.nextInt(10) == 0) {
          destroy(host, id);
        }
      }
    }
  }

  private Expected expected(DomainId id) {
    return Optional.ofNullable(model.get(id)).orElseThrow();
  }

  private static void populatePages(
      SimulatedHost host, DomainId id, Expected expected, RandomGenerator random) {
    long first = random.nextInt(GFNS);
    long count = 1L + random.nextInt(700);
    GuestFrames frames =
        random.nextBoolean()
            ? GuestFrames.consecutive(new Gfn(first), count)
            : scattered(random, count);

    long done = host.populate(id, 0, frames);

    assertThat(done).isEqualTo(Math.min(count, expected.limit - expected.charged));
    for (long i = 0; i < done; i++) {
      expected.pages.put(frames.at(i), 0L);
    }
    expected.charged += done;
  }

  private static GuestFrames scattered(RandomGenerator random, long count) {
    return SimulatedHost.frames(random.longs(count, 0, GFNS).toArray());
  }

  private static void populateLarge(SimulatedHost host, DomainId id, Expected expected, long gfn) {
    long done = host.populate(id, 9, gfn);

    assertThat(done).isEqualTo(expected.limit - expected.charged >= 512 ? 1 : 0);
    for (long i = 0; i < 512 * done; i++) {
      expected.pages.put(gfn + i, 0L);
    }
    expected.charged += 512 * done;
  }

  private static void decrease(
      SimulatedHost host, DomainId id, Expected expected, RandomGenerator random) {
    int order = random.nextInt(4) == 0 ? 9 : random.nextInt(4);
    long gfn = random.nextInt(GFNS);

    long done = host.decrease(id, order, gfn);

    long pages = 0;
    while (pages < 1L << order && expected.pages.remove(gfn + pages) != null) {
      pages++;
    }
    expected.charged -= pages;
    assertThat(done).isEqualTo(pages == 1L << order ? 1 : 0);
  }

  private static void move(
      SimulatedHost host, DomainId id, Expected expected, RandomGenerator random) {
    long from = random.nextInt(GFNS);
    long to = random.nextInt(GFNS);

    long ret = host.move(id, from, to);

    Long contents = expected.pages.get(from);
    if (contents == null) {
      assertThat(ret).isEqualTo(-13);
    } else if (from != to) {
      assertThat(ret).isZero();
      expected.pages.remove(from);
      expected.charged -= expected.pages.put(to, contents) == null ? 0 : 1;
    }
  }

  private static void remove(SimulatedHost host, DomainId id, Expected expected, long gfn) {
    long ret =
        SimulatedHost.ret(
            () ->
                host.hypervisor()
                    .memoryCalls()
                    .removeFromPhysmap(DomainId.DOM0, new RemoveFromPhysmap(id, new Gfn(gfn))));

    assertThat(ret).isEqualTo(expected.pages.remove(gfn) == null ? -2 : 0);
  }

  private static void increase(SimulatedHost host, DomainId id, Expected expected, int order) {
    long done =
        host.hypervisor()
            .memoryCalls()
            .increaseReservation(
                DomainId.DOM0,
                new IncreaseReservation(
                    id, SimulatedHost.frames(), Optional.of(1L), order, new Word(0)))
            .ret();

    assertThat(done).isEqualTo(expected.limit - expected.charged >= 1L << order ? 1 : 0);
    expected.charged += done << order;
  }

  private void write(SimulatedHost host, DomainId id, Expected expected, RandomGenerator random) {
    long gfn = random.nextInt(GFNS);
    stamp++;
    byte[] bytes = ByteBuffer.allocate(Long.BYTES).putLong(stamp).array();
    try {
      host.hypervisor().guestMemory().write(host.domain(id), gfn << 12, bytes);
      assertThat(expected.pages.put(gfn, stamp)).isNotNull();
    } catch (Refusal refusal) {
      assertThat(expected.pages).doesNotContainKey(gfn);
    }
  }

  private void destroy(SimulatedHost host, DomainId id) {
    check(host, id, expected(id));
    assertThat(host.destroy(id)).isZero();
    model.remove(id);
  }

  private static void check(SimulatedHost host, DomainId id, Expected expected) {
    Domain domain = host.domain(id);
    assertThat(domain.reservation().totalPages()).isEqualTo(expected.charged);
    for (long gfn = 0; gfn < GFNS + 512; gfn++) {
      boolean mapped = host.lookup(id, gfn).type() == P2mType.RAM_RW;
      assertThat(mapped).isEqualTo(expected.pages.containsKey(gfn));
    }
    for (Map.Entry<Long, Long> page : expected.pages.entrySet()) {
      byte[] bytes = host.hypervisor().guestMemory().read(domain, page.getKey() << 12, Long.BYTES);
      assertThat(ByteBuffer.wrap(bytes).getLong()).isEqualTo(page.getValue());
    }
  }
}
