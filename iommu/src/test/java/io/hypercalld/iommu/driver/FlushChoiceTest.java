package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import io.hypercalld.iommu.unit.Malfunction;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** B178 and its like: what units and devices are told of changed tables, and what if they fail. */
final class FlushChoiceTest {
  private static final Sbdf VF = SimulatedMachine.virtualFunction(0);
  private static final int PAGES = 64;

  private final SimulatedMachine machine = SimulatedMachine.boot();

  @AfterEach
  void stop() {
    machine.close();
  }

  private Domain guestWithDevice() {
    Domain guest = machine.guest(PAGES, true);
    machine.assign(VF, guest);
    return guest;
  }

  private void fail(Malfunction.Command command, Malfunction.Effect effect) {
    Malfunction.Target target = new Malfunction.Target(Optional.of(command), Optional.empty());
    machine.units.forEach(unit -> unit.malfunctions().add(new Malfunction(target, 0, 1, effect)));
  }

  private FlushCounters flushesOf(Domain guest) {
    return guest.facet(DomainIommu.class).flushes();
  }

  @Test
  void b178_newPages_tellNobodyWithoutCachingMode() {
    Domain guest = guestWithDevice();
    machine.remove(guest, 7);
    long before = flushesOf(guest).page() + flushesOf(guest).domain();

    machine.add(guest, 7);

    assertThat(flushesOf(guest).page() + flushesOf(guest).domain()).isEqualTo(before);
  }

  @Test
  void removedPage_isTakenOffTheUnitByNameAlone() {
    Domain guest = guestWithDevice();

    machine.remove(guest, 7);

    assertThat(flushesOf(guest).page()).isEqualTo(1);
    assertThat(flushesOf(guest).domain()).isZero();
    assertThat(machine.read(VF, 0x7000, 4).verdict()).isEqualTo(Verdict.BLOCKED);
  }

  @Test
  void queueError_duringAFlush_crashesTheGuestAndTheQueueGoesOn() {
    Domain guest = guestWithDevice();
    fail(Malfunction.Command.IOTLB, Malfunction.Effect.QUEUE_ERROR);

    machine.remove(guest, 7);

    assertThat(guest.run().isShutDown()).isTrue();
    Domain next = machine.guest(PAGES, true);
    machine.deassign(VF, guest.id());
    machine.assign(VF, next);
    assertThat(machine.write(VF, 0x5000, "01020304").verdict()).isEqualTo(Verdict.DONE);
  }

  @Test
  void deviceTlb_whoseDeviceDoesNotAnswer_breaksTheDeviceAndCrashesTheGuest() {
    machine.driver.allowDeviceTlbs(true);
    Domain guest = guestWithDevice();
    fail(Malfunction.Command.DEV_IOTLB, Malfunction.Effect.INVALIDATION_TIMEOUT);

    machine.remove(guest, 7);

    assertThat(machine.driver.devices().find(VF).orElseThrow().state())
        .isEqualTo(PciDevice.State.BROKEN);
    assertThat(guest.run().isShutDown()).isTrue();
    assertThat(guest.run().crashReason()).contains("IOTLB flush failed");
  }

  @Test
  void deviceTlb_ofADeviceThatMayNotUseAts_isNotTold() {
    Domain guest = guestWithDevice();
    fail(Malfunction.Command.DEV_IOTLB, Malfunction.Effect.INVALIDATION_TIMEOUT);

    machine.remove(guest, 7);

    assertThat(guest.run().isShutDown()).isFalse();
    assertThat(guest.id()).isNotEqualTo(DomainId.DOM0);
  }
}
