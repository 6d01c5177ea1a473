package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.MODEM;
import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static io.hypercalld.iommu.driver.SimulatedMachine.SOUND;
import static io.hypercalld.iommu.driver.SimulatedMachine.USB;
import static io.hypercalld.iommu.driver.SimulatedMachine.USB_REGION;
import static io.hypercalld.iommu.driver.SimulatedMachine.refusalOf;
import static io.hypercalld.iommu.driver.SimulatedMachine.virtualFunction;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import io.hypercalld.iommu.unit.DmaSegment;
import io.hypercalld.iommu.unit.Malfunction;
import io.hypercalld.iommu.unit.Malfunction.Command;
import io.hypercalld.iommu.unit.Malfunction.Effect;
import io.hypercalld.iommu.unit.Malfunction.Target;
import io.hypercalld.iommu.vtd.FaultReason;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeviceAssignmentTest {
  private final SimulatedMachine machine = SimulatedMachine.boot();

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void boot_givesEveryDeviceToDom0ThroughItsOwnTables() {
    assertThat(machine.driver.devices().all())
        .allMatch(device -> device.owner().equals(DomainId.DOM0));
    assertThat(machine.unit(0).domainIds().inUse())
        .containsExactly(new DomainIds.Use(0, DomainId.DOM0));
    assertThat(machine.write(NVME, 0x10_0000, "00").verdict()).isEqualTo(Verdict.DONE);
    assertThat(machine.write(NVME, 0x1_0000_0000L, "00").verdict()).isEqualTo(Verdict.BLOCKED);
  }

  @Test
  void assign_movesDmaIntoTheGuestsMemory() {
    Domain guest = machine.guest(16);
    machine.assign(virtualFunction(0), guest);

    var outcome = machine.write(virtualFunction(0), 0x3000, "c0ffee");

    assertThat(outcome.verdict()).isEqualTo(Verdict.DONE);
    long maddr = guest.p2m().lookup(new Gfn(3)).mfn().maddr();
    assertThat(machine.hypervisor.memory().readInt(maddr)).isEqualTo(0xeeffc0);
  }

  @Test
  void deassign_leavesDmaFaultingOnAnAbsentContextEntry() {
    Domain guest = machine.guest(16);
    machine.assign(virtualFunction(0), guest);
    machine.write(virtualFunction(0), 0x3000, "01");

    machine.deassign(virtualFunction(0), guest.id());

    assertThat(machine.write(virtualFunction(0), 0x3000, "02").segments().getFirst().end())
        .isEqualTo(new DmaSegment.Faulted(FaultReason.CONTEXT_NOT_PRESENT, true));
    assertThat(stateOf(virtualFunction(0))).isEqualTo(PciDevice.State.QUARANTINED);
  }

  @Test
  void domainId_ofAGuestThatTheUnitDidNotForget_isFreeOnceItHas() {
    Domain guest = machine.guest(16);
    machine.assign(virtualFunction(0), guest);
    Malfunction hang =
        new Malfunction(
            new Target(Optional.of(Command.CONTEXT), Optional.empty()),
            0,
            Long.MAX_VALUE,
            Effect.INVALIDATION_TIMEOUT);
    machine.units.getFirst().malfunctions().add(hang);

    machine.destroy(guest);

    assertThat(machine.unit(0).domainIds().inUse())
        .containsExactly(new DomainIds.Use(0, DomainId.DOM0), new DomainIds.Use(1, guest.id()));
    assertThat(machine.unit(0).domainIds().leaving()).containsExactly(guest.id());
    assertThat(stateOf(virtualFunction(0))).isEqualTo(PciDevice.State.BROKEN);
    assertThat(machine.violations()).isEmpty();

    machine.units.getFirst().malfunctions().remove(hang);
    machine.deassign(virtualFunction(0), DomainId.IO);

    assertThat(machine.unit(0).domainIds().inUse())
        .containsExactly(new DomainIds.Use(0, DomainId.DOM0));
    assertThat(machine.unit(0).domainIds().leaving()).isEmpty();
  }

  @Test
  void deassign_fromQuarantine_returnsTheDeviceToDom0() {
    Domain guest = machine.guest(16);
    machine.assign(virtualFunction(0), guest);
    machine.deassign(virtualFunction(0), guest.id());

    machine.deassign(virtualFunction(0), DomainId.IO);

    assertThat(stateOf(virtualFunction(0))).isEqualTo(PciDevice.State.DOM0);
    assertThat(machine.write(virtualFunction(0), 0x10_0000, "00").verdict())
        .isEqualTo(Verdict.DONE);
  }

  @Test
  void assign_whenDomainIdsRunOut_isBusyAndChangesNothing() {
    for (int i = 0; i < 15; i++) {
      machine.assign(virtualFunction(i), machine.guest(1));
    }
    Domain last = machine.guest(1);
    String before = machine.digest();

    assertThat(refusalOf(() -> machine.assign(virtualFunction(15), last))).isEqualTo(Errno.EBUSY);

    assertThat(machine.digest()).isEqualTo(before);
    machine.assign(NVME, last);
    assertThat(machine.unit(1).domainIdOf(last.id())).isPresent();
  }

  @Test
  void deassign_ofTheLastDeviceOnAUnit_freesItsDomainId() {
    Domain guest = machine.guest(1);
    machine.assign(virtualFunction(0), guest);
    machine.assign(virtualFunction(1), guest);
    int did = machine.unit(0).domainIdOf(guest.id()).orElseThrow();

    machine.deassign(virtualFunction(0), guest.id());
    assertThat(machine.unit(0).domainIdOf(guest.id())).hasValue(did);
    machine.deassign(virtualFunction(1), guest.id());
    assertThat(machine.unit(0).domainIdOf(guest.id())).isEmpty();

    Domain next = machine.guest(1);
    machine.assign(virtualFunction(2), next);
    assertThat(machine.unit(0).domainIdOf(next.id())).hasValue(did);
  }

  @Test
  void assign_onTwoUnits_usesADomainIdOfEach() {
    machine.assign(virtualFunction(0), machine.guest(1));
    Domain guest = machine.guest(1);
    machine.assign(virtualFunction(1), guest);
    machine.assign(NVME, guest);

    assertThat(machine.unit(0).domainIdOf(guest.id())).hasValue(2);
    assertThat(machine.unit(1).domainIdOf(guest.id())).hasValue(1);
  }

  @Test
  void assign_ofAnotherGuestsDevice_isBusy() {
    machine.assign(NVME, machine.guest(1));
    Domain other = machine.guest(1);

    assertThat(refusalOf(() -> machine.assign(NVME, other))).isEqualTo(Errno.EBUSY);
  }

  @Test
  void assign_ofTheHostBridge_isNotPermitted() {
    Domain guest = machine.guest(1);

    assertThat(refusalOf(() -> machine.assign(SimulatedMachine.HOST_BRIDGE, guest)))
        .isEqualTo(Errno.EPERM);
  }

  @Test
  void assign_ofAConventionalDevice_switchesItsBridgeToo() {
    Domain guest = machine.guest(1);
    machine.assign(SOUND, guest);
    int did = machine.unit(1).domainIdOf(guest.id()).orElseThrow();

    for (String requester : new String[] {"06:01.0", "05:00.0", "06:00.0"}) {
      assertThat(machine.unit(1).contextEntry(Sbdf.parse(requester).sourceId()).domainId())
          .isEqualTo(did);
    }
  }

  @Test
  void assign_ofASiblingToAnotherGuest_isBusy() {
    machine.assign(SOUND, machine.guest(1));
    Domain other = machine.guest(1);
    String before = machine.digest();

    assertThat(refusalOf(() -> machine.assign(MODEM, other))).isEqualTo(Errno.EBUSY);
    assertThat(machine.digest()).isEqualTo(before);
  }

  @Test
  void deassign_ofOneSibling_leavesTheBridgeToTheOther() {
    Domain guest = machine.guest(1);
    machine.assign(SOUND, guest);
    machine.assign(MODEM, guest);

    machine.deassign(SOUND, guest.id());

    assertThat(machine.unit(1).contextEntry(SimulatedMachine.BRIDGE.sourceId()).isPresent())
        .isTrue();
    machine.deassign(MODEM, guest.id());
    assertThat(machine.unit(1).contextEntry(SimulatedMachine.BRIDGE.sourceId()).isPresent())
        .isFalse();
  }

  @Test
  void assign_ofADeviceWithAReservedRegion_mapsItOneToOne() {
    Domain guest = machine.guest(1);
    machine.assign(USB, guest);

    Gfn gfn = new Gfn(USB_REGION.base() >>> 12);
    assertThat(guest.p2m().lookup(gfn).type()).isEqualTo(P2mType.MMIO_DIRECT);
    assertThat(guest.p2m().lookup(gfn).mfn().value()).isEqualTo(gfn.value());
    assertThat(machine.write(USB, USB_REGION.base(), "01").verdict()).isEqualTo(Verdict.DONE);
  }

  @Test
  void deassign_ofADeviceWithAReservedRegion_keepsOnlyThatRegionReachable() {
    Domain guest = machine.guest(1);
    machine.assign(USB, guest);

    machine.deassign(USB, guest.id());

    assertThat(machine.write(USB, USB_REGION.base(), "01").verdict()).isEqualTo(Verdict.DONE);
    assertThat(machine.write(USB, 0, "01").segments().getFirst().end())
        .isEqualTo(new DmaSegment.Faulted(FaultReason.WRITE_NOT_PERMITTED, true));
    assertThat(guest.p2m().lookup(new Gfn(USB_REGION.base() >>> 12)).type())
        .isEqualTo(P2mType.MMIO_DM);
  }

  @Test
  void balloon_takesThePageFromDevicesBeforeItIsReused() {
    for (boolean separate : new boolean[] {false, true}) {
      Domain guest = machine.guest(16, separate);
      Sbdf device = virtualFunction(separate ? 1 : 0);
      machine.assign(device, guest);
      assertThat(machine.write(device, 0x3000, "01").verdict()).isEqualTo(Verdict.DONE);

      machine.remove(guest, 3);

      assertThat(machine.write(device, 0x3000, "02").verdict()).isEqualTo(Verdict.BLOCKED);
      assertThat(machine.write(device, 0x4000, "02").verdict()).isEqualTo(Verdict.DONE);
    }
  }

  @Test
  void destroy_returnsDevicesAndFrames() {
    long free = machine.hypervisor.allocator().freeFrames();
    Domain guest = machine.guest(600, true);
    machine.assign(virtualFunction(0), guest);
    machine.assign(NVME, guest);
    machine.assign(SOUND, guest);

    machine.destroy(guest);

    assertThat(machine.hypervisor.allocator().freeFrames()).isEqualTo(free);
    assertThat(machine.unit(0).domainIds().inUse())
        .extracting(DomainIds.Use::did)
        .containsExactly(0);
    assertThat(stateOf(NVME)).isEqualTo(PciDevice.State.QUARANTINED);
    for (Sbdf device : new Sbdf[] {virtualFunction(0), NVME, SOUND}) {
      machine.deassign(device, DomainId.IO);
    }
    assertThat(machine.driver.devices().ownedBy(DomainId.IO)).isEmpty();
  }

  private PciDevice.State stateOf(Sbdf sbdf) {
    return machine.driver.devices().find(sbdf).orElseThrow().state();
  }
}
