package io.hypercalld.core.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.NewDomain;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mType;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What needs pages of 4 KiB is refused where the P2M has none, and the reason is said. */
class GeometryRefusalTest {
  private static final String REASON = "no pages of 4 KiB";
  private static final Gfn PAGE = new Gfn(0x40);

  private final SimulatedHost host = SimulatedHost.booted();

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "GRANULE_4K")
  void featuresOfSinglePages_areRefusedWithTheReason(P2mGeometry geometry) {
    Domain domain = create(geometry);
    String before = host.digest();

    assertRefused(Errno.EINVAL, () -> domain.features().populateOnDemand().mark(PAGE, 9));
    assertRefused(Errno.ENODEV, () -> domain.features().events().enable(VmEventRing.Kind.PAGING));
    assertRefused(Errno.EOPNOTSUPP, () -> domain.features().sharing().enable());

    assertThat(host.digest()).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "GRANULE_4K")
  void singlePageOfAnother_cannotBeMapped(P2mGeometry geometry) {
    Domain domain = create(geometry);
    Domain granter = host.domain(host.createGuest(SimulatedHost.HVM_HAP));
    var mfn = granter.p2m().lookup(new Gfn(5)).mfn();
    String before = host.digest();

    assertThatThrownBy(
            () -> domain.physicalMap().orElseThrow().mapGrant(PAGE, mfn, P2mType.GRANT_MAP_RW))
        .isInstanceOf(Refusal.class);
    assertThatThrownBy(() -> domain.physicalMap().orElseThrow().foreign().map(mfn, PAGE))
        .isInstanceOf(Refusal.class);

    assertThat(host.digest()).isEqualTo(before);
  }

  private Domain create(P2mGeometry geometry) {
    Outcome outcome =
        host.hypervisor()
            .domainCalls()
            .createDomain(
                DomainId.DOM0,
                SimulatedHost.request(DomainId.ANY, SimulatedHost.HVM_HAP),
                Variation.NONE.with(geometry));
    return outcome instanceof Outcome.Success(long _, NewDomain(DomainId id))
        ? host.domain(id)
        : host.domain(DomainId.DOM0);
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            Refusal.class,
            refusal -> {
              assertThat(refusal.errno()).isEqualTo(errno);
              assertThat(refusal.reason()).contains(REASON);
            });
  }
}
