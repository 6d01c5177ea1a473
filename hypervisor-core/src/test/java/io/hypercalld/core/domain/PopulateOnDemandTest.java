package io.hypercalld.core.domain;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.errno;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PopulateOnDemandTest {
  private final SimulatedHost host = SimulatedHost.booted();
  private final DomainId id = host.create(HVM_HAP);
  private final Domain domain = host.domain(id);
  private final PopulateOnDemand pod = domain.features().populateOnDemand();
  private final PhysicalMap map = domain.physicalMap().orElseThrow();

  PopulateOnDemandTest() {
    host.limit(id, 4096);
  }

  @AfterEach
  void close() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  private Outcome target(long pages) {
    return host.hypervisor()
        .featureCalls()
        .pod()
        .setTarget(DomainId.DOM0, new SetPodTarget(id, pages, 0));
  }

  private void write(long gfn) {
    map.obtain(new Gfn(gfn));
    host.hypervisor().guestMemory().write(domain, gfn << 12, new byte[] {1});
  }

  @Test
  void markedRange_costsNoFrames() {
    pod.mark(new Gfn(0x400), 9);

    assertThat(pod.entries()).isEqualTo(512);
    assertThat(domain.reservation().totalPages()).isZero();
    assertThat(host.lookup(id, 0x405).type()).isEqualTo(P2mType.POPULATE_ON_DEMAND);
    assertThat(host.lookup(id, 0x405).order()).isEqualTo(9);
    assertThat(domain.p2m().maxMappedGfn()).isEqualTo(new Gfn(0x5ff));
  }

  @Test
  void markedAgain_isCountedOnce() {
    pod.mark(new Gfn(0x400), 9);
    pod.mark(new Gfn(0x400), 10);

    assertThat(pod.entries()).isEqualTo(1024);
  }

  @Test
  void mark_overRam_isRefused() {
    host.populate(id, 0, 0x410);

    assertThatThrownBy(() -> pod.mark(new Gfn(0x400), 9))
        .isInstanceOf(Refusal.class)
        .extracting(refusal -> ((Refusal) refusal).errno())
        .isEqualTo(Errno.EBUSY);
    assertThat(pod.entries()).isZero();
  }

  @Test
  void access_withoutSuperpageInTheCache_shattersTheLeaf() {
    pod.mark(new Gfn(0x400), 9);
    assertThat(target(256).ret()).isZero();
    assertThat(domain.reservation().totalPages()).isEqualTo(256);

    assertThat(map.obtain(new Gfn(0x405)).type()).isEqualTo(P2mType.RAM_RW);

    assertThat(host.lookup(id, 0x405).order()).isZero();
    assertThat(pod.entries()).isEqualTo(511);
    assertThat(pod.cachedPages()).isEqualTo(255);
    assertThat(domain.reservation().totalPages()).isEqualTo(256);
  }

  @Test
  void access_withSuperpageInTheCache_populatesTheLeaf() {
    pod.mark(new Gfn(0x400), 9);
    target(512);

    map.obtain(new Gfn(0x5ff));

    assertThat(host.lookup(id, 0x405).order()).isEqualTo(9);
    assertThat(pod.entries()).isZero();
    assertThat(pod.cachedPages()).isZero();
  }

  @Test
  void access_toAGigantLeaf_populatesOneSuperpageOfIt() {
    host.limit(id, 1 << 19);
    pod.mark(new Gfn(1 << 18), 18);
    target(512);

    map.obtain(new Gfn((1 << 18) + 0x777));

    assertThat(host.lookup(id, (1 << 18) + 0x777).order()).isEqualTo(9);
    assertThat(pod.entries()).isEqualTo((1 << 18) - 512);
  }

  @Test
  void access_withoutFrames_crashesTheDomainAndLeavesTheEntry() {
    pod.mark(new Gfn(0x400), 9);

    assertThat(map.obtain(new Gfn(0x405)).type()).isEqualTo(P2mType.POPULATE_ON_DEMAND);

    assertThat(domain.run().shutdownCode()).isEqualTo(ShutdownReason.CRASH.code());
    assertThat(pod.entries()).isEqualTo(512);
  }

  @Test
  void emptyCache_isRefilledFromPagesOfZeros() {
    pod.mark(new Gfn(0x400), 9);
    target(2);
    write(0x401);
    map.obtain(new Gfn(0x402));

    map.obtain(new Gfn(0x403));

    assertThat(host.lookup(id, 0x403).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(host.lookup(id, 0x402).type()).isEqualTo(P2mType.POPULATE_ON_DEMAND);
    assertThat(host.lookup(id, 0x401).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(pod.entries()).isEqualTo(510);
    assertThat(domain.reservation().totalPages()).isEqualTo(2);
  }

  @Test
  void sweep_findsAPageOfZerosThatWasPopulatedLongAgo() {
    pod.mark(new Gfn(0x400), 9);
    target(100);
    for (long gfn = 0x400; gfn < 0x400 + 100; gfn++) {
      write(gfn);
    }
    host.hypervisor().guestMemory().write(domain, 0x400_000, new byte[] {0});

    write(0x500);

    assertThat(host.lookup(id, 0x500).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(host.lookup(id, 0x400).type()).isEqualTo(P2mType.POPULATE_ON_DEMAND);
  }

  @Test
  void decrease_ofWhatWaits_shrinksTheCache() {
    pod.mark(new Gfn(0x400), 9);
    target(512);

    assertThat(pod.decrease(new Gfn(0x400), 9)).isEqualTo(512);

    assertThat(pod.entries()).isZero();
    assertThat(pod.cachedPages()).isZero();
    assertThat(domain.reservation().totalPages()).isZero();
    assertThat(host.lookup(id, 0x400).type()).isEqualTo(P2mType.MMIO_DM);
  }

  @Test
  void decrease_ofRamWhileMoreWaits_paysIntoTheCache() {
    pod.mark(new Gfn(0x400), 9);
    target(4);
    write(0x400);
    write(0x401);

    assertThat(pod.decrease(new Gfn(0x400), 0)).isEqualTo(1);

    assertThat(pod.cachedPages()).isEqualTo(3);
    assertThat(pod.entries()).isEqualTo(510);
    assertThat(domain.reservation().totalPages()).isEqualTo(4);
    assertThat(host.lookup(id, 0x400).type()).isEqualTo(P2mType.MMIO_DM);
  }

  @Test
  void decrease_ofAMixedRange_leavesRamThatIsNotNeeded() {
    pod.mark(new Gfn(0x400), 9);
    target(512);
    target(256);
    pod.decrease(new Gfn(0x500), 8);
    write(0x400);

    long handled = pod.decrease(new Gfn(0x400), 3);

    assertThat(handled).isEqualTo(7);
    assertThat(host.lookup(id, 0x400).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(pod.cachedPages()).isEqualTo(pod.entries());
  }

  @Test
  void target_belowWhatIsThere_changesNothing() {
    pod.mark(new Gfn(0x400), 9);
    target(256);
    String before = host.digest();

    assertThat(target(10).ret()).isZero();

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void target_aboveWhatWaits_isCutOnceSomethingIsMapped() {
    pod.mark(new Gfn(0x400), 9);
    target(10);
    map.obtain(new Gfn(0x400));

    target(4000);

    assertThat(pod.cachedPages()).isEqualTo(511);
    assertThat(domain.reservation().totalPages()).isEqualTo(512);
  }

  @Test
  void target_refusals() {
    pod.mark(new Gfn(0x400), 9);
    String before = host.digest();

    assertThat(errno(() -> target(4097))).isEqualTo(Errno.EINVAL);

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void destroyed_givesTheCacheBack() {
    long free = host.hypervisor().allocator().freeFrames();
    DomainId other = host.create(HVM_HAP);
    host.limit(other, 2048);
    host.domain(other).features().populateOnDemand().mark(new Gfn(0x400), 9);
    host.hypervisor()
        .featureCalls()
        .pod()
        .setTarget(DomainId.DOM0, new SetPodTarget(other, 700, 0));

    host.destroy(other);

    assertThat(host.hypervisor().allocator().freeFrames()).isEqualTo(free);
    assertThat(host.hypervisor().domains().find(other)).isEmpty();
  }
}
