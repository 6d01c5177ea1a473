package io.hypercalld.core.domain;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.errno;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.domain.MemorySharing.Page;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MemorySharingTest {
  private final SimulatedHost host = SimulatedHost.booted();
  private final DomainId a = host.createGuest(HVM_HAP);
  private final DomainId b = host.createGuest(HVM_HAP);
  private final MemorySharing ofA = host.domain(a).features().sharing();
  private final MemorySharing ofB = host.domain(b).features().sharing();
  private final SharedFrames shared = host.hypervisor().domains().sharedFrames();

  @AfterEach
  void close() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  private void write(DomainId id, long gfn, int value) {
    host.hypervisor().guestMemory().write(host.domain(id), gfn << 12, new byte[] {(byte) value});
  }

  private int read(DomainId id, long gfn) {
    return host.hypervisor().guestMemory().read(host.domain(id), gfn << 12, 1)[0];
  }

  private void shareBoth(long gfn) {
    Page from = new Page(new Gfn(gfn), ofA.nominate(new Gfn(gfn)));
    Page to = new Page(new Gfn(gfn), ofB.nominate(new Gfn(gfn)));
    ofA.share(from, ofB, to);
  }

  private static Errno refused(Runnable action) {
    return errno(
        () -> {
          action.run();
          return Outcome.done();
        });
  }

  @Test
  void nominated_isNobodysAndChargedToNobody() {
    Mfn mfn = host.lookup(a, 5).mfn();

    long handle = ofA.nominate(new Gfn(5));

    assertThat(host.lookup(a, 5).type()).isEqualTo(P2mType.RAM_SHARED);
    assertThat(host.domain(a).reservation().totalPages()).isEqualTo(511);
    assertThat(ofA.sharedPages()).isEqualTo(1);
    FrameTable frames = host.hypervisor().frames();
    assertThat(frames.owner(mfn.value())).isEqualTo(DomainId.COW.value());
    assertThat(frames.m2p(mfn.value())).isEqualTo(FrameTable.SHARED_M2P);
    assertThat(ofA.nominate(new Gfn(5))).isEqualTo(handle);
    assertThat(shared.saved()).isZero();
  }

  @Test
  void shared_freesTheClientsFrame() {
    write(a, 5, 42);
    write(b, 5, 42);
    long free = host.hypervisor().allocator().freeFrames();

    shareBoth(5);

    assertThat(host.lookup(b, 5).mfn()).isEqualTo(host.lookup(a, 5).mfn());
    assertThat(host.hypervisor().allocator().freeFrames()).isEqualTo(free + 1);
    assertThat(shared.count()).isEqualTo(1);
    assertThat(shared.saved()).isEqualTo(1);
    assertThat(read(b, 5)).isEqualTo(42);
  }

  @Test
  void unshared_copiesForTheFirstAndKeepsTheFrameForTheLast() {
    write(a, 5, 42);
    shareBoth(5);
    Mfn common = host.lookup(a, 5).mfn();

    ofB.unshare(new Gfn(5));
    write(b, 5, 43);

    assertThat(read(a, 5)).isEqualTo(42);
    assertThat(host.domain(b).reservation().totalPages()).isEqualTo(512);
    assertThat(host.lookup(b, 5).type()).isEqualTo(P2mType.RAM_RW);
    ofA.unshare(new Gfn(5));
    assertThat(host.lookup(a, 5).mfn()).isEqualTo(common);
    assertThat(host.lookup(a, 5).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(host.domain(a).reservation().totalPages()).isEqualTo(512);
    assertThat(shared.count()).isZero();
  }

  @Test
  void unshare_aboveTheLimit_isRefusedAndChangesNothing() {
    shareBoth(5);
    host.limit(b, 511);
    String before = host.digest();

    assertThat(refused(() -> ofB.unshare(new Gfn(5)))).isEqualTo(Errno.ENOMEM);

    assertThat(host.digest()).isEqualTo(before);
    PhysicalMap map = host.domain(b).physicalMap().orElseThrow();
    assertThat(map.obtainUnshared(new Gfn(5)).type()).isEqualTo(P2mType.RAM_SHARED);
  }

  @Test
  void share_ofWhatTheHandlesDoNotSay_isRefused() {
    long source = ofA.nominate(new Gfn(5));
    long client = ofB.nominate(new Gfn(5));
    String before = host.digest();
    Gfn gfn = new Gfn(5);

    assertThat(refused(() -> ofA.share(new Page(gfn, 99), ofB, new Page(gfn, client))))
        .isEqualTo(Errno.ECHILD);
    assertThat(refused(() -> ofA.share(new Page(gfn, source), ofB, new Page(gfn, 99))))
        .isEqualTo(Errno.EBADF);
    assertThat(refused(() -> ofA.share(new Page(gfn, source), ofB, new Page(new Gfn(6), 1))))
        .isEqualTo(Errno.EBADF);
    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void nominate_ofWhatCannotBeShared_isRefused() {
    FrameTable frames = host.hypervisor().frames();
    long mfn = host.lookup(a, 6).mfn().value();
    frames.takeReference(mfn, a.value());
    String before = host.digest();

    assertThat(refused(() -> ofA.nominate(new Gfn(0x4000)))).isEqualTo(Errno.EINVAL);
    assertThat(refused(() -> ofA.nominate(new Gfn(6)))).isEqualTo(Errno.E2BIG);

    assertThat(host.digest()).isEqualTo(before);
    frames.putReference(mfn);
  }

  @Test
  void lent_isMappedWhereNothingWas() {
    write(a, 5, 42);
    Page page = new Page(new Gfn(5), ofA.nominate(new Gfn(5)));

    ofA.lend(page, ofB, new Gfn(0x800));

    assertThat(read(b, 0x800)).isEqualTo(42);
    assertThat(ofB.sharedPages()).isEqualTo(1);
    assertThat(host.domain(b).reservation().totalPages()).isEqualTo(512);
    assertThat(refused(() -> ofA.lend(page, ofB, new Gfn(7)))).isEqualTo(Errno.EBADF);
  }

  @Test
  void sharedPage_canBeGivenBackMovedAndMappedOver() {
    shareBoth(5);
    shareBoth(6);
    shareBoth(7);
    shareBoth(8);

    assertThat(host.decrease(b, 0, 5)).isEqualTo(1);
    assertThat(host.move(b, 6, 0x900)).isZero();
    assertThat(host.populate(b, 0, 7)).isEqualTo(1);
    host.domain(b).physicalMap().orElseThrow().remove(new Gfn(8));

    assertThat(host.lookup(b, 0x900).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(ofB.sharedPages()).isZero();
    assertThat(ofA.sharedPages()).isEqualTo(4);
  }

  @Test
  void destroyed_leavesTheFramesToTheOthers() {
    long free = host.hypervisor().allocator().freeFrames();
    shareBoth(5);
    shareBoth(6);
    ofA.nominate(new Gfn(7));

    host.destroy(a);

    assertThat(host.hypervisor().domains().find(a)).isEmpty();
    assertThat(shared.count()).isEqualTo(2);
    host.destroy(b);
    assertThat(shared.count()).isZero();
    assertThat(host.hypervisor().allocator().freeFrames()).isGreaterThan(free + 1024);
  }
}
