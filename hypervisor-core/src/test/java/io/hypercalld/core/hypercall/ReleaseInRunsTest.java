package io.hypercalld.core.hypercall;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.p2m.Gfn;
import java.util.function.BiConsumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Memory released in one call is as if it had been released page by page. */
class ReleaseInRunsTest {
  private static final int PAGES = 1024;

  @Test
  void extentOf2Mib_mappedByOneLeaf_isReleasedAsItsPages() {
    assertReleasedAlike((host, id) -> host.populate(id, 9, 0, 512), PAGES);
  }

  @Test
  void extentOf2Mib_mappedByPages_isReleasedAsThese() {
    assertReleasedAlike(
        (host, id) -> host.populate(id, 0, GuestFrames.consecutive(new Gfn(0), PAGES)), PAGES);
  }

  @Test
  void extentOf2Mib_ofFramesInTheirReverse_isReleasedAsItsPages() {
    assertReleasedAlike(
        (host, id) ->
            host.populate(id, 0, LongStream.range(0, PAGES).map(i -> PAGES - 1 - i).toArray()),
        PAGES);
  }

  @Test
  void extentOf2Mib_withAHole_isReleasedUpToIt() {
    assertReleasedAlike(
        (host, id) -> {
          host.populate(id, 9, 0, 512);
          host.decrease(id, 0, 700);
        },
        701);
  }

  @Test
  void pageThatSomebodyRefersTo_staysCharged() {
    assertReleasedAlike(
        (host, id) -> {
          host.populate(id, 9, 0, 512);
          FrameTable frames = host.hypervisor().allocator().frames();
          frames.takeReference(host.lookup(id, 300).mfn().value(), id.value());
        },
        PAGES);
  }

  @Test
  void pagesOfALeafOf1Gib_areReleasedWithoutTheRest() {
    assertReleasedAlike(
        (host, id) -> {
          host.limit(id, 1 << 18);
          host.populate(id, 18, 0);
        },
        PAGES);
  }

  @Test
  void release_thatAnObserverRefuses_stopsAtThatPage() {
    assertReleasedAlike(
        (host, id) -> {
          host.populate(id, 0, GuestFrames.consecutive(new Gfn(0), PAGES));
          host.domain(id)
              .p2m()
              .announcements()
              .observe(
                  change -> {
                    long first = change.gfn().value();
                    if (first <= 0x103 && first + change.frames() > 0x103) {
                      throw Refusal.of(Errno.ENOMEM, "no room");
                    }
                  });
        },
        0x103);
  }

  private static void assertReleasedAlike(BiConsumer<SimulatedHost, DomainId> populate, long gone) {
    String onePage = released(populate, gone, ReleaseInRunsTest::pageByPage);
    String extents = released(populate, gone, (host, id) -> host.decrease(id, 9, 0, 512));
    String run =
        released(
            populate,
            gone,
            (host, id) -> host.decrease(id, 0, LongStream.range(0, PAGES).toArray()));

    assertThat(extents).isEqualTo(onePage);
    assertThat(run).isEqualTo(onePage);
  }

  private static void pageByPage(SimulatedHost host, DomainId id) {
    for (long gfn = 0; gfn < PAGES && host.decrease(id, 0, gfn) == 1; gfn++) {
      // The next one, until one is refused.
    }
  }

  /** The state after memory was populated and released. */
  private static String released(
      BiConsumer<SimulatedHost, DomainId> populate,
      long gone,
      BiConsumer<SimulatedHost, DomainId> release) {
    try (SimulatedHost host = SimulatedHost.booted()) {
      DomainId id = host.create(SimulatedHost.HVM_HAP);
      host.limit(id, PAGES);
      populate.accept(host, id);

      release.accept(host, id);

      assertThat(host.domain(id).p2m().isUnmapped(new Gfn(0), gone)).isTrue();
      return host.digest();
    }
  }
}
