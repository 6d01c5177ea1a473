package io.hypercalld.core.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.core.guest.GuestRequest.Operation;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.IoreqRule;
import io.hypercalld.core.p2m.P2mAccess;
import io.hypercalld.core.p2m.P2mType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestAccessTest {
  private static final long PAGE = 0x1000;

  private SimulatedHost host;
  private Domain guest;
  private DomainId id;

  @BeforeEach
  void boot() {
    host = SimulatedHost.booted();
    id = host.createGuest(SimulatedHost.HVM_HAP);
    guest = host.domain(id);
  }

  @AfterEach
  void check() {
    assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    host.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 0x5000", "2, 0x5001", "4, 0x5ffd", "8, 0x5ff9", "8, 0x5fff"})
  void write_ofAnySizeAnywhere_isReadBack(int size, String at) {
    long gpa = Long.decode(at);
    long data = 0x1122_3344_5566_7788L & (-1L >>> (Long.SIZE - size * Byte.SIZE));

    assertThat(access(Operation.WRITE, gpa, size, data).outcome()).isEqualTo(Verdict.DONE);

    assertThat(read(gpa, size)).isEqualTo(data);
    assertThat(host.hypervisor().guestMemory().read(guest, gpa, 1)[0]).isEqualTo((byte) data);
  }

  @Test
  void add_toMemory_returnsTheSumThatItStored() {
    access(Operation.WRITE, 0x6ffe, 4, 0xffff_fffeL);

    AccessOutcome outcome = access(Operation.ADD, 0x6ffe, 4, 3);

    assertThat(outcome.data()).contains(new Word(1));
    assertThat(read(0x6ffe, 4)).isEqualTo(1);
  }

  @Test
  void nothingMapped_readsOnesAndDropsWrites() {
    AccessOutcome read = access(Operation.READ, 0x1234_5000L, 4, 0);

    assertThat(read.outcome()).isEqualTo(Verdict.EMULATED);
    assertThat(read.data()).contains(new Word(0xffff_ffffL));
    assertThat(access(Operation.WRITE, 0x1234_5000L, 4, 7).outcome()).isEqualTo(Verdict.EMULATED);
    assertThat(access(Operation.READ, 0xffff_0000_0000_0000L, 8, 0).outcome())
        .isEqualTo(Verdict.EMULATED);
  }

  @Test
  void accessAcrossTheEndOfMemory_isPartlyEmulated() {
    long gpa = 0x20_0000 - 2;
    access(Operation.WRITE, gpa, 2, 0xabcd);

    AccessOutcome outcome = access(Operation.READ, gpa, 4, 0);

    assertThat(outcome.outcome()).isEqualTo(Verdict.EMULATED);
    assertThat(outcome.data()).contains(new Word(0xffff_abcdL));
  }

  @Test
  void readOnlyMemory_keepsWhatItHolds() {
    access(Operation.WRITE, 5 * PAGE, 8, 42);
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.RAM_RO);

    AccessOutcome outcome = access(Operation.ADD, 5 * PAGE, 8, 1);

    assertThat(outcome.outcome()).isEqualTo(Verdict.DISCARDED);
    assertThat(read(5 * PAGE, 8)).isEqualTo(42);
  }

  @Test
  void writeToAServersPage_goesToTheServerAndReadsDoNot() {
    List<Emulation.MmioAccess> seen = new ArrayList<>();
    GuestAccess access = new GuestAccess(host.hypervisor().memory());
    access.emulateBy(
        mmio -> {
          seen.add(mmio);
          return new Emulation.Waiting(3, 17);
        });
    guest.p2m().types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.IOREQ_SERVER);

    AccessOutcome read = access.perform(guest, request(Operation.READ, 5 * PAGE + 8, 4, 0));
    AccessOutcome write = access.perform(guest, request(Operation.WRITE, 5 * PAGE + 8, 4, 9));

    assertThat(read.outcome()).isEqualTo(Verdict.DONE);
    assertThat(write.outcome()).isEqualTo(Verdict.PENDING);
    assertThat(write.server()).contains(3);
    assertThat(write.request()).contains(17L);
    assertThat(seen)
        .containsExactly(
            new Emulation.MmioAccess(guest, 0, 5 * PAGE + 8, 4, true, 9, P2mType.IOREQ_SERVER));
    assertThat(read(5 * PAGE + 8, 4)).isZero();
    assertThat(access(Operation.WRITE, 5 * PAGE, 4, 9).outcome()).isEqualTo(Verdict.RETRY);
  }

  @Test
  void hypervisorsCopyToAServersPage_isRefused() {
    guest.p2m().types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.IOREQ_SERVER);
    GuestMemory copies = host.hypervisor().guestMemory();

    assertThatThrownBy(() -> copies.write(guest, 5 * PAGE, new byte[8]))
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EFAULT));
    assertThat(copies.read(guest, 5 * PAGE, 8)).containsOnly(0);
  }

  @Test
  void brokenPage_crashesTheDomainThatTouchesIt() {
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.RAM_BROKEN);

    AccessOutcome outcome = access(Operation.READ, 5 * PAGE, 1, 0);

    assertThat(outcome.outcome()).isEqualTo(Verdict.FAULT);
    assertThat(guest.run().shutdownCode()).isEqualTo(3);
    assertThatThrownBy(() -> access(Operation.READ, 6 * PAGE, 1, 0))
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EINVAL));
  }

  @Test
  void pageOfRegisters_readsOnesWhereNoDeviceIs() {
    guest.p2m().set(new Gfn(0x900), new Mfn(0xe_0000), PageSize.SIZE_4K, P2mType.MMIO_DIRECT);

    assertThat(access(Operation.READ, 0x900 * PAGE, 2, 0).data()).contains(new Word(0xffff));
    assertThat(access(Operation.WRITE, 0x900 * PAGE, 2, 1).outcome()).isEqualTo(Verdict.DONE);
  }

  @Test
  void heldVcpu_waitsAndOthersDoNot() {
    guest.run().pauseVcpu(0);

    assertThat(access(Operation.READ, 0, 1, 0).outcome()).isEqualTo(Verdict.PENDING);
    guest.run().unpauseVcpu(0);
    assertThat(access(Operation.READ, 0, 1, 0).outcome()).isEqualTo(Verdict.DONE);
  }

  @ParameterizedTest
  @CsvSource({"0, 3, 0x0, EINVAL", "0, 8, 0xfffffffffffffffc, EINVAL", "2, 1, 0x0, ENOENT"})
  void impossibleAccess_isRefused(int vcpu, int size, String gpa, Errno errno) {
    GuestRequest request =
        new GuestRequest(
            vcpu,
            new Word(Long.decode(gpa.length() > 17 ? "-4" : gpa)),
            size,
            Operation.READ,
            new Word(0));

    assertThatThrownBy(() -> host.hypervisor().guestAccess().perform(guest, request))
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }

  @Test
  void watchedPage_isNotedAndNotWatchedAnyMore() {
    guest.logDirty().enable();

    access(Operation.WRITE, 5 * PAGE - 4, 8, -1);

    assertThat(guest.logDirty().copy(0, 512, false)[0]).isEqualTo((byte) ((1 << 5) | (1 << 4)));
    assertThat(host.lookup(id, 5).type()).isEqualTo(P2mType.RAM_RW);
    assertThat(host.lookup(id, 6).type()).isEqualTo(P2mType.RAM_LOGDIRTY);
    host.hypervisor().guestMemory().write(guest, 9 * PAGE, new byte[1]);
    assertThat(guest.logDirty().dirtyCount()).isEqualTo(3);
  }

  @Test
  void watching_whileAServerHasPages_isRefused() {
    guest.p2m().types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.IOREQ_SERVER);

    assertThatThrownBy(() -> guest.logDirty().enable())
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EBUSY));
  }

  @Test
  void writtenPage_canBecomeAServersAndStaysSoWhenCleaned() {
    guest.logDirty().enable();
    guest.p2m().types().setIoreq(P2mType.IOREQ_SERVER, new IoreqRule(true, false, true));
    access(Operation.WRITE, 5 * PAGE, 1, 1);
    guest.p2m().changeType(new Gfn(5), P2mType.RAM_RW, P2mType.IOREQ_SERVER);

    guest.logDirty().copy(0, 512, true);
    guest.logDirty().rearm();

    assertThat(host.lookup(id, 5).type()).isEqualTo(P2mType.IOREQ_SERVER);
    assertThat(host.lookup(id, 4).type()).isEqualTo(P2mType.RAM_LOGDIRTY);
  }

  @Test
  void dirtyBitmap_costsPoolPagesUntilLoggingEnds() {
    long used = guest.memory().pagingPool().orElseThrow().usedPages();
    guest.logDirty().enable();
    guest.logDirty().markDirty(new Gfn(5));
    guest.logDirty().markDirty(new Gfn(0x8_0000_0000L));
    assertThat(guest.memory().pagingPool().orElseThrow().usedPages()).isEqualTo(used + 4 + 3);

    guest.logDirty().disable();
    while (!guest.logDirty().forget()) {}

    assertThat(guest.memory().pagingPool().orElseThrow().usedPages()).isEqualTo(used);
  }

  @Test
  void pageThatCannotBeNoted_makesTheLogUnreadable() {
    guest.logDirty().enable();
    var pool = guest.memory().pagingPool().orElseThrow();
    pool.resize(pool.usedPages());

    guest.logDirty().markDirty(new Gfn(5));

    assertThatThrownBy(() -> guest.logDirty().requireComplete())
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.ENOMEM));
    pool.resize(256);
    guest.logDirty().disable();
    guest.logDirty().enable();
    assertThat(guest.logDirty().copy(0, 8, false)).containsExactly(0);
  }

  @Test
  void explanation_saysWhatWouldHappenAndChangesNothing() {
    guest
        .p2m()
        .set(new Gfn(7), host.lookup(id, 7).mfn(), PageSize.SIZE_4K, P2mType.RAM_RW, P2mAccess.RX);
    String before = host.digest();

    AccessExplanation write = AccessExplanation.of(guest, new Gfn(7), MemoryAccess.Kind.WRITE);

    assertThat(write.handling()).isEqualTo(AccessHandling.RESTRICTED);
    assertThat(write.wouldPassIf()).contains("its access were not rx");
    assertThat(write.walk()).hasSize(4);
    assertThat(host.digest()).isEqualTo(before);
  }

  private AccessOutcome access(Operation op, long gpa, int size, long data) {
    return host.hypervisor().guestAccess().perform(guest, request(op, gpa, size, data));
  }

  private long read(long gpa, int size) {
    Optional<Word> data = access(Operation.READ, gpa, size, 0).data();
    return data.orElseThrow().value();
  }

  private static GuestRequest request(Operation op, long gpa, int size, long data) {
    return new GuestRequest(0, new Word(gpa), size, op, new Word(data));
  }
}
