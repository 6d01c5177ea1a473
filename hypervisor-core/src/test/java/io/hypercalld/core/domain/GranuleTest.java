package io.hypercalld.core.domain;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.hypercall.NewDomain;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A domain whose P2M maps 16 KiB at a time. */
class GranuleTest {
  private final SimulatedHost host = SimulatedHost.booted();
  private final DomainId id = create();
  private final Domain domain = host.domain(id);

  private DomainId create() {
    Outcome outcome =
        host.hypervisor()
            .domainCalls()
            .createDomain(
                DomainId.DOM0,
                SimulatedHost.request(DomainId.ANY, SimulatedHost.HVM_HAP),
                Variation.NONE.with(P2mGeometry.GRANULE_16K));
    DomainId created =
        outcome instanceof Outcome.Success(long _, NewDomain(DomainId fresh))
            ? fresh
            : DomainId.ANY;
    host.limit(created, 1024);
    return created;
  }

  @AfterEach
  void release() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  private P2mType type(long gfn) {
    return host.lookup(id, gfn).type();
  }

  @Test
  void extentOf16Kib_isAddedAndZappedAtOnce() {
    List<P2mChange> heard = new ArrayList<>();
    domain.p2m().announcements().observe(heard::add);

    assertThat(host.populate(id, 2, 8, 12)).isEqualTo(2);
    assertThat(host.decrease(id, 2, 8)).isEqualTo(1);

    assertThat(heard).extracting(P2mChange::gfn).containsExactly(gfn(8), gfn(12), gfn(8));
    assertThat(heard).extracting(P2mChange::frames).containsExactly(4L, 4L, 4L);
    assertThat(type(11)).isEqualTo(P2mType.MMIO_DM);
    assertThat(type(12)).isEqualTo(P2mType.RAM_RW);
    assertThat(domain.reservation().totalPages()).isEqualTo(4);
  }

  private static Gfn gfn(long value) {
    return new Gfn(value);
  }

  @Test
  void extentLessThanAGranule_isRefusedAndNothingIsKept() {
    host.populate(id, 2, 8);
    String before = host.digest();

    assertThat(host.populate(id, 0, 12)).isZero();
    assertThat(host.populate(id, 1, 12)).isZero();
    assertThat(host.decrease(id, 0, 8)).isZero();

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void extentThatBeginsInsideAGranule_isRefused() {
    host.populate(id, 2, 8);
    String before = host.digest();

    assertThat(host.decrease(id, 2, 9)).isZero();

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void page_isMovedAsAWhole() {
    host.populate(id, 3, 8);
    host.populate(id, 2, 32);

    assertThat(host.move(id, 8, 32)).isZero();

    assertThat(type(8)).isEqualTo(P2mType.MMIO_DM);
    assertThat(type(11)).isEqualTo(P2mType.MMIO_DM);
    assertThat(type(35)).isEqualTo(P2mType.RAM_RW);
    assertThat(domain.reservation().totalPages()).isEqualTo(8);
    assertThat(host.move(id, 13, 32)).isNegative();
  }

  @Test
  void writeToAWatchedPage_marksAllOfIt() {
    host.populate(id, 2, 8);
    domain.addVcpus(1);
    domain.logDirty().enable();

    domain.logDirty().writeFault(gfn(9));

    assertThat(type(8)).isEqualTo(P2mType.RAM_RW);
    assertThat(domain.logDirty().dirtyCount()).isEqualTo(4);
  }

  @Test
  void destruction_givesEverythingBack() {
    long before = host.hypervisor().allocator().freeFrames();
    host.populate(id, 9, 0, 512);

    host.destroy(id);

    assertThat(host.hypervisor().allocator().freeFrames()).isGreaterThan(before);
  }
}
