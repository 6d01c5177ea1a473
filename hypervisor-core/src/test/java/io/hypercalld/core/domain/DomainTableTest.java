package io.hypercalld.core.domain;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.IOMMU;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DomainTableTest {
  private final SimulatedHost host = new SimulatedHost();
  private final DomainTable domains = host.hypervisor().domains();
  private final List<String> journal = new ArrayList<>();

  @AfterEach
  void release() {
    host.close();
  }

  /** Takes some steps to give back what it holds, and says so. */
  private static final class ScriptedFacet implements DomainFacet {
    private final List<String> journal;
    private final String name;
    private int left;

    ScriptedFacet(List<String> journal, String name, int left) {
      this.journal = journal;
      this.name = name;
      this.left = left;
    }

    @Override
    public boolean relinquish() {
      journal.add(name + left);
      left--;
      return left == 0;
    }

    @Override
    public void digest(StateDigest digest) {
      digest.put(name).put(left);
    }
  }

  private void addFacet(String name, int steps) {
    domains.addFacet(
        domain ->
            domain.id().equals(DomainId.DOM0)
                ? Optional.empty()
                : Optional.of(new ScriptedFacet(journal, name, steps)));
  }

  @Test
  void facets_areTornDownInReverseOrderStepByStep() {
    addFacet("a", 2);
    addFacet("b", 1);
    host.hypervisor().bootDom0();
    DomainId id = host.create(HVM_HAP);
    long before = host.hypervisor().calls().continuations();

    host.destroy(id);

    assertThat(journal).containsExactly("b1", "a2", "a1");
    assertThat(host.hypervisor().calls().continuations()).isGreaterThan(before + 3);
    assertThat(host.domain(DomainId.DOM0).findFacet(ScriptedFacet.class)).isEmpty();
  }

  @Test
  void facet_thatCannotBeMade_takesTheDomainBack() {
    addFacet("a", 2);
    host.hypervisor().bootDom0();
    domains.addFacet(
        domain -> {
          throw Refusal.of(Errno.ENOMEM, "no room for %s", domain.id());
        });
    String before = host.digest();

    assertThatThrownBy(() -> host.create(HVM_HAP)).isInstanceOf(Refusal.class);

    assertThat(host.digest()).isEqualTo(before);
    assertThat(journal).containsExactly("a2", "a1");
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
  }

  @Test
  void facet_isFoundByItsClass() {
    addFacet("a", 1);
    host.hypervisor().bootDom0();
    Domain domain = host.domain(host.create(HVM_HAP));

    assertThat(domain.facet(ScriptedFacet.class).name).isEqualTo("a");
    assertThatThrownBy(() -> host.domain(DomainId.DOM0).facet(ScriptedFacet.class))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void observerOfAFacet_hearsOfDom0sMemoryFromTheStart() {
    List<P2mChange> heard = new ArrayList<>();
    domains.addFacet(
        domain -> {
          domain.p2m().announcements().observe(heard::add);
          return Optional.empty();
        });

    host.hypervisor().bootDom0();

    assertThat(heard).hasSize(1);
    assertThat(heard.getFirst().frames()).isEqualTo(PageSize.SIZE_1G.frames());
  }

  @Test
  void populate_thatAnObserverRefuses_stopsThereAndKeepsTheFrame() {
    host.hypervisor().bootDom0();
    DomainId id = host.create(HVM_HAP | IOMMU);
    host.limit(id, 1024);
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

    long done = host.populate(id, 0, GuestFrames.consecutive(new Gfn(0x100), 10));

    assertThat(done).isEqualTo(3);
    assertThat(host.domain(id).reservation().totalPages()).isEqualTo(4);
    assertThat(host.lookup(id, 0x103).type()).isEqualTo(P2mType.MMIO_DM);
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
  }

  @Test
  void move_thatAnObserverRefuses_isTakenBack() {
    host.hypervisor().bootDom0();
    DomainId id = host.createGuest(HVM_HAP | IOMMU);
    host.populate(id, 0, 0x1000, 0x1001);
    host.domain(id)
        .p2m()
        .announcements()
        .observe(
            change -> {
              if (change.gfn().value() == 0x1001 && change.replacesMapping()) {
                throw Refusal.of(Errno.ENOMEM, "no room");
              }
            });
    String before = host.digest();

    assertThat(host.move(id, 0x1000, 0x1001)).isEqualTo(-Errno.ENOMEM.number());

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void populate_overAPageThatMayNotBeReplaced_crashesTheDomain() {
    host.hypervisor().bootDom0();
    DomainId id = host.createGuest(HVM_HAP);
    Domain domain = host.domain(id);
    domain
        .p2m()
        .set(new Gfn(0x1000), host.lookup(id, 0).mfn(), PageSize.SIZE_4K, P2mType.MMIO_DIRECT);

    assertThat(host.populate(id, 0, 0xfff, 0x1000, 0x1001)).isEqualTo(1);

    assertThat(domain.run().shutdownCode()).isEqualTo(ShutdownReason.CRASH.code());
    assertThat(host.lookup(id, 0x1000).type()).isEqualTo(P2mType.MMIO_DIRECT);
  }

  @Test
  void dyingDomain_getsNoMemory() {
    host.hypervisor().bootDom0();
    DomainId id = host.createGuest(HVM_HAP);
    domains.beginDestruction(host.domain(id));

    assertThat(host.populate(id, 0, 0x1000)).isZero();

    assertThat(host.domain(id).state()).isEqualTo(DomainState.DYING);
    assertThatThrownBy(() -> domains.liveRemote(host.domain(DomainId.DOM0), id))
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EINVAL));
  }

  @Test
  void destruction_step_leavesALegalState() {
    host.hypervisor().bootDom0();
    DomainId id = host.createGuest(HVM_HAP);
    host.populate(id, 0, GuestFrames.consecutive(new Gfn(0x10_0000), 500));
    Domain domain = host.domain(id);
    domains.beginDestruction(domain);

    int steps = 0;
    do {
      assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
      steps++;
    } while (!domains.continueDestruction(domain));

    assertThat(steps).isGreaterThan(4);
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
  }

  @Test
  void ids_areChosenUpwardAndWrap() {
    host.hypervisor().bootDom0();

    assertThat(host.create(HVM_HAP)).isEqualTo(new DomainId(1));
    assertThat(host.create(HVM_HAP)).isEqualTo(new DomainId(2));
    host.destroy(new DomainId(1));
    assertThat(host.create(HVM_HAP)).isEqualTo(new DomainId(3));
    host.create(new DomainId(0x7fef), HVM_HAP);
    assertThat(host.create(HVM_HAP)).isEqualTo(new DomainId(4));
  }

  @Test
  void id_thatWasAskedFor_doesNotMoveTheChoice() {
    host.hypervisor().bootDom0();
    host.create(new DomainId(100), HVM_HAP);

    assertThat(host.create(HVM_HAP)).isEqualTo(new DomainId(1));
  }

  @Test
  void lookUps_refuseAsTheirFlavourSays() {
    host.hypervisor().bootDom0();
    Domain dom0 = host.domain(DomainId.DOM0);
    Domain guest = host.domain(host.create(HVM_HAP));

    assertThat(domains.any(guest, DomainId.SELF)).isSameAs(guest);
    assertThat(domains.remote(dom0, guest.id())).isSameAs(guest);
    assertErrno(Errno.ESRCH, () -> domains.byId(DomainId.SELF));
    assertErrno(Errno.ESRCH, () -> domains.remote(dom0, DomainId.SELF));
    assertErrno(Errno.EPERM, () -> domains.remote(guest, guest.id()));
    assertErrno(Errno.ESRCH, () -> domains.forDomctl(dom0, new DomainId(9)));
    assertErrno(Errno.EPERM, () -> domains.forDomctl(guest, new DomainId(9)));
  }

  @Test
  void newDomain_takesItsRootsItsSharedPageAndAGrantFrameAtOnce() {
    host.hypervisor().bootDom0();
    long free = host.hypervisor().allocator().freeFrames();

    Domain domain = host.domain(host.create(HVM_HAP));

    assertThat(domain.memory().pagingPool().orElseThrow().totalPages()).isEqualTo(256);
    assertThat(domain.memory().pagingPool().orElseThrow().freePages()).isEqualTo(256 - 11);
    assertThat(host.hypervisor().allocator().freeFrames()).isEqualTo(free - 258);
    assertThat(host.hypervisor().frames().use(domain.memory().sharedInfo().value()))
        .isEqualTo(FrameUse.SPECIAL);
    assertThat(domain.reservation().totalPages()).isZero();
  }

  @Test
  void dom0_runsWithItsVcpus() {
    Domain dom0 = host.hypervisor().bootDom0();

    assertThat(dom0.isRunning()).isTrue();
    assertThat(dom0.type()).isEqualTo(DomainType.PVH);
    assertThat(dom0.reservation().totalPages()).isEqualTo(1 << 18);
    assertThat(dom0.settings().hasIommu()).isTrue();
  }

  private static void assertErrno(Errno errno, Supplier<Domain> lookUp) {
    assertThatThrownBy(lookUp::get)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
