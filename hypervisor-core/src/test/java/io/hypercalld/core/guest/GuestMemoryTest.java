package io.hypercalld.core.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
  private final SimulatedHost host = SimulatedHost.booted();
  private final DomainId id = host.createGuest(SimulatedHost.HVM_HAP);
  private final Domain domain = host.domain(id);
  private final GuestMemory guest = host.hypervisor().guestMemory();

  @AfterEach
  void release() {
    host.close();
  }

  @Test
  void write_acrossPages_landsInTheFramesOfBoth() {
    host.move(id, 3, 0x2000);
    host.move(id, 9, 3);

    guest.write(domain, 0x2ffe, new byte[] {1, 2, 3, 4});

    assertThat(guest.read(domain, 0x2ffe, 4)).containsExactly(1, 2, 3, 4);
    long second = host.lookup(id, 3).mfn().maddr();
    assertThat(host.hypervisor().memory().readInt(second)).isEqualTo(0x0403);
  }

  @Test
  void write_reachingAPageThatIsNotThere_writesNothing() {
    String before = host.digest();

    assertRefused(Errno.EFAULT, () -> guest.write(domain, 0x1f_fffe, new byte[4]));
    assertRefused(Errno.EFAULT, () -> guest.write(domain, 0x1f_fffe, new byte[] {1, 2, 3, 4}));

    assertThat(host.digest()).isEqualTo(before);
  }

  @Test
  void readOnlyPage_isReadAndNotWritten() {
    guest.write(domain, 0x5000, new byte[] {42});
    domain.p2m().set(new Gfn(5), host.lookup(id, 5).mfn(), PageSize.SIZE_4K, P2mType.RAM_RO);

    assertThat(guest.read(domain, 0x5000, 1)).containsExactly(42);
    assertRefused(Errno.EFAULT, () -> guest.write(domain, 0x5000, new byte[] {1}));
  }

  @Test
  void range_emptyOrOutOfReach_isEinval() {
    assertRefused(Errno.EINVAL, () -> guest.read(domain, 0, 0));
    assertRefused(Errno.EINVAL, () -> guest.read(domain, 0, -1));
    assertRefused(Errno.EINVAL, () -> guest.read(domain, -1, 1));
    assertRefused(Errno.EINVAL, () -> guest.read(domain, Long.MIN_VALUE, 1));
    assertRefused(Errno.EINVAL, () -> guest.read(domain, (1L << 48) - 1, 2));
    assertRefused(Errno.EINVAL, () -> guest.write(domain, 0, new byte[0]));
    assertRefused(Errno.EFAULT, () -> guest.read(domain, (1L << 48) - 1, 1));
  }

  @Test
  void pvDomain_hasNoSuchAddresses() {
    Domain pv = host.domain(host.create(0));

    assertRefused(Errno.EOPNOTSUPP, () -> guest.read(pv, 0, 1));
    assertRefused(Errno.EOPNOTSUPP, () -> guest.write(pv, 0, new byte[1]));
  }

  @Test
  void dom0_hasItsMemoryFromGuestFrame0On() {
    Domain dom0 = host.domain(DomainId.DOM0);

    guest.write(dom0, (1L << 30) - 4, new byte[] {1, 2, 3, 4});

    assertThat(guest.read(dom0, (1L << 30) - 4, 4)).containsExactly(1, 2, 3, 4);
    assertRefused(Errno.EFAULT, () -> guest.read(dom0, 1L << 30, 1));
    assertThat(host.lookup(DomainId.DOM0, 0).order()).isEqualTo(18);
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
