package io.hypercalld.core.domain;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.domain.MemoryAccess.Attempt;
import io.hypercalld.core.domain.MemoryAccess.Kind;
import io.hypercalld.core.domain.MemoryAccess.Verdict;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mType;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What pagers and monitors are told, and what their answers do. */
class VmEventsTest {
  private final SimulatedHost host = SimulatedHost.booted();
  private final DomainId id = host.createGuest(HVM_HAP);
  private final Domain domain = host.domain(id);
  private final VmEvents events = domain.features().events();
  private final MemoryPaging paging = domain.features().paging();
  private final MemoryAccess access = domain.features().access();

  VmEventsTest() {
    events.params().set(HvmParams.PAGING_RING_PFN, 0x1ff);
    events.params().set(HvmParams.MONITOR_RING_PFN, 0x1fe);
    events.enable(VmEventRing.Kind.PAGING);
    events.enable(VmEventRing.Kind.MONITOR);
  }

  @AfterEach
  void close() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  static Stream<Arguments> restrictions() {
    return Stream.of(
        Arguments.of(P2mAccess.N, EnumSet.allOf(Kind.class)),
        Arguments.of(P2mAccess.R, EnumSet.of(Kind.WRITE, Kind.FETCH)),
        Arguments.of(P2mAccess.W, EnumSet.allOf(Kind.class)),
        Arguments.of(P2mAccess.RW, EnumSet.of(Kind.FETCH)),
        Arguments.of(P2mAccess.X, EnumSet.of(Kind.READ, Kind.WRITE)),
        Arguments.of(P2mAccess.RX, EnumSet.of(Kind.WRITE)),
        Arguments.of(P2mAccess.WX, EnumSet.of(Kind.READ, Kind.WRITE)),
        Arguments.of(P2mAccess.RWX, EnumSet.noneOf(Kind.class)),
        Arguments.of(P2mAccess.R_PW, EnumSet.of(Kind.WRITE, Kind.FETCH)));
  }

  @ParameterizedTest(name = "{0} forbids {1}")
  @MethodSource("restrictions")
  void access_forbidsWhatItDoesNotName(P2mAccess restriction, Set<Kind> forbidden) {
    access.restrict(new Gfn(5), restriction);

    for (Kind kind : Kind.values()) {
      Verdict expected = forbidden.contains(kind) ? Verdict.PAUSED : Verdict.ALLOWED;
      assertThat(access.check(new Attempt(kind, 0x5008, 0))).as("%s", kind).isEqualTo(expected);
    }
    assertThat(events.waiting()).hasSize(forbidden.size());
  }

  @Test
  void fullRing_hasTheVcpuTryAgain() {
    access.restrict(new Gfn(5), P2mAccess.N);
    Attempt attempt = new Attempt(Kind.READ, 0x5000, 1);
    for (int slot = 0; slot < VmEventRing.SLOTS; slot++) {
      assertThat(access.check(attempt)).isEqualTo(Verdict.PAUSED);
    }

    assertThat(access.check(attempt)).isEqualTo(Verdict.RETRY);

    assertThat(events.waiting()).hasSize(VmEventRing.SLOTS);
  }

  @Test
  void disabledRing_letsWaitingVcpusGoOn() {
    access.restrict(new Gfn(5), P2mAccess.N);
    access.check(new Attempt(Kind.READ, 0x5000, 1));
    assertThat(domain.run().isVcpuPaused(1)).isTrue();

    events.disable(VmEventRing.Kind.MONITOR);

    assertThat(domain.run().isVcpuPaused(1)).isFalse();
    assertThat(events.waiting()).isEmpty();
    assertThat(access.check(new Attempt(Kind.READ, 0x5000, 1))).isEqualTo(Verdict.RETRY);
    assertThat(host.lookup(id, 5).access()).isEqualTo(P2mAccess.RWX);
  }

  @Test
  void answer_withDrop_leavesThePageToThePager() {
    paging.nominate(new Gfn(5));
    assertThat(paging.fault(new Gfn(5), 0)).isTrue();

    events.answer(events.waiting().getFirst().id(), true);

    assertThat(host.lookup(id, 5).type()).isEqualTo(P2mType.RAM_PAGING_IN);
    assertThat(domain.run().isVcpuPaused(0)).isFalse();
    assertThat(paging.fault(new Gfn(5), 0)).isFalse();
  }

  @Test
  void nominatedPage_keepsItsAccess() {
    access.restrict(new Gfn(5), P2mAccess.RX);

    paging.nominate(new Gfn(5));
    paging.evict(new Gfn(5));
    paging.prepare(new Gfn(5), Optional.of(new byte[4096]));

    assertThat(host.lookup(id, 5).access()).isEqualTo(P2mAccess.RX);
    assertThat(host.lookup(id, 5).type()).isEqualTo(P2mType.RAM_RW);
  }

  @Test
  void pagedPage_mappedOver_isForgotten() {
    paging.nominate(new Gfn(5));
    paging.evict(new Gfn(5));
    assertThat(paging.pagedPages()).isEqualTo(1);

    assertThat(host.populate(id, 0, 5)).isEqualTo(1);

    assertThat(paging.pagedPages()).isZero();
  }

  @Test
  void nominatedPage_canBeGivenBackAndAPagedOneCannot() {
    paging.nominate(new Gfn(5));
    paging.nominate(new Gfn(6));
    paging.evict(new Gfn(6));

    assertThat(host.decrease(id, 0, 5)).isEqualTo(1);
    assertThat(host.decrease(id, 0, 6)).isZero();
  }

  @Test
  void ringPage_givenBackByTheGuest_staysUntilNobodyListens() {
    assertThat(host.decrease(id, 0, 0x1fe)).isEqualTo(1);
    assertThat(domain.reservation().totalPages()).isEqualTo(512);

    events.disable(VmEventRing.Kind.MONITOR);

    assertThat(domain.reservation().totalPages()).isEqualTo(511);
  }

  @Test
  void destroyed_givesTheRingsPagesBack() {
    paging.nominate(new Gfn(5));
    paging.evict(new Gfn(5));

    host.destroy(id);

    assertThat(host.hypervisor().domains().find(id)).isEmpty();
  }
}
