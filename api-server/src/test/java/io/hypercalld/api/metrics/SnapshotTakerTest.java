package io.hypercalld.api.metrics;

import static io.hypercalld.api.metrics.SimulatedMachine.GUEST;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.api.machine.CallMeter;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.iommu.driver.PciDevice.State;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a snapshot says of the machine, and what it does not look at again. */
class SnapshotTakerTest {
  private static final long TICK_NANOS = 1_000_000_000;

  private final SimulatedMachine simulated = new SimulatedMachine();
  private final Sbdf device = simulated.virtualFunctions().getFirst();
  private long now;
  private final SnapshotTaker taker =
      new SnapshotTaker(simulated.machine(), () -> now += TICK_NANOS);

  @AfterEach
  void close() {
    simulated.close();
  }

  @Test
  void snapshot_afterBoot_isDom0WithEveryDevice() {
    MetricsSnapshot snapshot = taker.take();

    assertThat(snapshot.domains()).map(DomainSample::domid).containsExactly(0);
    assertThat(snapshot.domains().getFirst().state()).isEqualTo(DomainSample.State.RUNNING);
    assertThat(snapshot.domains().getFirst().devices()).isEqualTo(snapshot.devices().size());
    assertThat(snapshot.devices()).hasSizeGreaterThan(512).allMatch(one -> one.owner() == 0);
    assertThat(snapshot.units()).hasSize(4).allMatch(unit -> unit.domainIds().used() == 1);
    assertThat(snapshot.units().stream().mapToInt(UnitSample::contextEntries).sum())
        .isGreaterThan(512);
    assertThat(snapshot.freeBytes()).isPositive().isLessThan(snapshot.totalBytes());
    assertThat(snapshot.complete()).isTrue();
  }

  @Test
  void snapshot_afterAssignment_isTheNewOwner() {
    simulated.create(GUEST);
    simulated.populate(GUEST, 3);
    simulated.assign(GUEST, device);

    MetricsSnapshot snapshot = taker.take();

    DomainSample guest = snapshot.domains().getLast();
    assertThat(guest.domid()).isEqualTo(1);
    assertThat(guest.state()).isEqualTo(DomainSample.State.PAUSED);
    assertThat(guest.devices()).isEqualTo(1);
    assertThat(guest.memoryBytes()).isEqualTo(3L << 21);
    assertThat(guest.p2m().map(DomainSample.Physmap::leaves))
        .contains(new LeafCounts(Map.of(P2mType.RAM_RW, Map.of(9, 3L))));
    assertThat(snapshot.devices()).contains(new DeviceSample(device, 1, State.ASSIGNED));
    assertThat(snapshot.units()).map(unit -> unit.domainIds().used()).containsOnlyOnce(2);
  }

  @Test
  void snapshot_afterDeassignmentAndDma_countsTheFault() {
    simulated.create(GUEST);
    simulated.populate(GUEST, 1);
    simulated.assign(GUEST, device);
    simulated.write(device, 0x1000);
    simulated.deassign(GUEST, device);
    simulated.write(device, 0x1000);

    MetricsSnapshot snapshot = taker.take();

    UnitSample unit =
        snapshot.units().stream().filter(one -> !one.faults().isEmpty()).findFirst().orElseThrow();
    assertThat(unit.faults()).containsExactly(Map.entry(FaultReason.CONTEXT_NOT_PRESENT, 1L));
    assertThat(unit.faultRecordsPending()).as("the driver has read it out").isZero();
    assertThat(unit.translated()).isEqualTo(1);
    assertThat(unit.blocked()).isEqualTo(1);
    assertThat(snapshot.devices()).contains(new DeviceSample(device, 0x7ff1, State.QUARANTINED));
  }

  @Test
  void snapshot_afterDma_sharesWhatDmaCannotChange() {
    MetricsSnapshot before = taker.take();
    simulated.write(device, 0x1000);

    MetricsSnapshot after = taker.take();

    assertThat(after.domains()).isSameAs(before.domains());
    assertThat(after.devices()).isSameAs(before.devices());
    assertThat(after.calls()).isSameAs(before.calls());
    assertThat(after.units()).isNotEqualTo(before.units());
    assertThat(after.units().stream().mapToInt(unit -> unit.iotlb().entries()).sum()).isOne();
  }

  @Test
  void snapshot_afterDestruction_isAsBefore() {
    MetricsSnapshot before = taker.take();
    simulated.create(GUEST);
    simulated.populate(GUEST, 2);
    taker.take();
    simulated.destroy(GUEST);

    MetricsSnapshot after = taker.take();

    assertThat(after.domains()).isEqualTo(before.domains());
    assertThat(after.freeBytes()).isEqualTo(before.freeBytes());
    assertThat(after.domainsDestroyed()).isEqualTo(before.domainsDestroyed() + 1);
  }

  @Test
  void snapshot_afterARefusal_countsItByErrno() {
    simulated.call(new AssignDevice(new DomainId(77), device, 0, 0));

    CallMeter.Sample call = taker.take().calls().getFirst();

    assertThat(call.op()).isEqualTo("assign_device");
    assertThat(call.results()).containsExactly(Map.entry("ESRCH", 1L));
  }

  @Test
  void snapshot_whileAFigureRests_saysThatItIsOld() {
    SnapshotTaker hasty = new SnapshotTaker(simulated.machine(), () -> now++);
    simulated.create(GUEST);
    simulated.populate(GUEST, 2);
    hasty.take();
    simulated.assign(GUEST, device);

    MetricsSnapshot hurried = hasty.take();
    now += TICK_NANOS;
    MetricsSnapshot rested = hasty.take();

    assertThat(hurried.complete()).isFalse();
    assertThat(rested.complete()).isTrue();
    assertThat(rested.domains().getLast().p2m().map(DomainSample.Physmap::leaves))
        .contains(new LeafCounts(Map.of(P2mType.RAM_RW, Map.of(9, 2L))));
  }
}
