package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.Register;
import org.junit.jupiter.api.Test;

/** Fault recording and the fault event: spec/vtd.md 7.5. */
final class FaultLogBehaviourTest {
  private static final int MASKED = (int) EventControl.IM.mask();

  private static void blockedReads(SimulatedUnit it, int count) {
    for (int each = 0; each < count; each++) {
      it.read(0x10_0000L + each * 0x1000L);
    }
  }

  private static void mask(SimulatedUnit it, boolean on) {
    it.unit.write32(Register.FECTL.offset(), on ? MASKED : 0);
  }

  private static boolean eventPending(SimulatedUnit it) {
    return EventControl.IP.isSet(it.unit.read32(Register.FECTL.offset()));
  }

  private static void clearStatus(SimulatedUnit it, long bits) {
    it.unit.write32(Register.FSTS.offset(), (int) bits);
  }

  private static void programMessage(SimulatedUnit it) {
    it.unit.write32(Register.FEDATA.offset(), 0x4031);
    it.unit.write32(Register.FEADDR.offset(), 0xfee0_1000);
  }

  private static SimulatedUnit unmasked() {
    SimulatedUnit it = SimulatedUnit.on();
    programMessage(it);
    mask(it, false);
    return it;
  }

  @Test
  void b65b66_firstFault_waitsForTheMask() {
    try (var it = SimulatedUnit.on()) {
      programMessage(it);
      it.read(0x12_3456);

      assertThat(it.record(0)).isEqualTo(new FaultRecord(0x12_3000, 0xc000_0006_0000_0382L));
      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask());
      assertThat(eventPending(it)).isTrue();
      assertThat(it.messages).isEmpty();

      mask(it, false);
      assertThat(it.messages).containsExactly(InterruptMessage.written(0xfee0_1000L, 0x4031));
      assertThat(eventPending(it)).isFalse();
    }
  }

  @Test
  void b67_secondFault_isNoNewEvent() {
    try (var it = unmasked()) {
      blockedReads(it, 2);

      assertThat(it.record(1).isPending()).isTrue();
      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask());
      assertThat(it.messages).hasSize(1);
    }
  }

  @Test
  void b68_ninthFault_overflows() {
    try (var it = unmasked()) {
      blockedReads(it, 9);

      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask() | FaultStatus.PFO.mask());
      assertThat(it.translation.recorded()).isFalse();
      assertThat(it.unit.faults()).hasSize(8);
      assertThat(it.record(0).iova()).isEqualTo(0x10_0000);
      assertThat(it.messages).hasSize(1);
      assertThat(it.unit.counters().faultsLost()).isEqualTo(1);
      assertThat(it.unit.counters().faultOverflows()).isEqualTo(1);
    }
  }

  @Test
  void b69_overflowLeftSet_keepsFaultsOut() {
    try (var it = unmasked()) {
      blockedReads(it, 9);
      clearAll(it);

      it.read(0x5000);

      assertThat(it.unit.faults()).isEmpty();
      assertThat(it.status()).isEqualTo(FaultStatus.PFO.mask());
      assertThat(it.messages).hasSize(1);
    }
  }

  private static void clearAll(SimulatedUnit it) {
    for (int index = 0; index < 8; index++) {
      it.clearRecord(index);
    }
  }

  @Test
  void b70_overflowClearedBeforeTheRecords_comesBack() {
    try (var it = unmasked()) {
      blockedReads(it, 9);
      clearStatus(it, FaultStatus.PFO.mask());

      it.read(0x5000);

      assertThat(FaultStatus.PFO.isSet(it.status())).isTrue();
      assertThat(it.unit.faults()).hasSize(8);
    }
  }

  @Test
  void b71_recordsThenOverflowCleared_recordingStartsAgain() {
    try (var it = unmasked()) {
      blockedReads(it, 9);
      clearAll(it);
      clearStatus(it, FaultStatus.PFO.mask());

      it.read(0x5000);

      assertThat(it.record(0).iova()).isEqualTo(0x5000);
      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask());
      assertThat(it.messages).hasSize(2);
    }
  }

  @Test
  void b72_recordsAreUsedInTurn() {
    try (var it = unmasked()) {
      blockedReads(it, 3);
      it.clearRecord(0);

      it.read(0x5000);

      assertThat(it.record(3).iova()).isEqualTo(0x5000);
      assertThat(it.record(0).isPending()).isFalse();
      assertThat(FaultStatus.FRI.get(it.status())).as("latched at 0 to 1").isZero();
    }
  }

  @Test
  void b73_nextRecordPending_overflowsAlthoughOthersAreFree() {
    try (var it = unmasked()) {
      blockedReads(it, 8);
      for (int index = 1; index < 8; index++) {
        it.clearRecord(index);
      }

      it.read(0x5000);

      assertThat(FaultStatus.PFO.isSet(it.status())).isTrue();
      assertThat(it.unit.faults()).hasSize(1);
    }
  }

  @Test
  void b74_unitWithOneRecord_overflowsAtTheSecondFault() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.NFR, 0))) {
      blockedReads(it, 2);

      assertThat(FaultStatus.PFO.isSet(it.status())).isTrue();
    }
  }

  @Test
  void fri_ofALaterFirstFault_isItsIndex() {
    try (var it = unmasked()) {
      blockedReads(it, 2);
      clearAll(it);

      it.read(0x5000);

      assertThat(FaultStatus.FRI.get(it.status())).isEqualTo(2);
      assertThat(it.messages).hasSize(2);
    }
  }

  @Test
  void b75_onesWrittenToStatus_clearWhatIsClearable() {
    try (var it = unmasked()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      queue.submit(new InvalidationDescriptor(0, 0));
      blockedReads(it, 9);
      queue.put(0, InvalidationDescriptor.allContexts());

      clearStatus(it, -1);

      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask());
    }
  }

  @Test
  void b76_conditionClearedWhileMasked_losesItsMessage() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);
      assertThat(eventPending(it)).isTrue();

      it.clearRecord(0);

      assertThat(eventPending(it)).isFalse();
      mask(it, false);
      assertThat(it.messages).isEmpty();
    }
  }

  @Test
  void b77b78_faultBit_isClearedByOneOnly() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);
      int offset = it.unit.capabilities().faultRecordOffset(0);

      it.unit.write32(offset + 12, 0);
      it.unit.write64(offset, 0);
      it.unit.write64(offset + 8, 0x7fff_ffff_ffff_ffffL);
      assertThat(it.record(0).isPending()).isTrue();
      assertThat(it.record(0).reason()).contains(FaultReason.READ_NOT_PERMITTED);

      it.unit.write32(offset + 12, 0x8000_0000);
      assertThat(it.record(0).isPending()).isFalse();
      assertThat(it.status()).isZero();
    }
  }

  @Test
  void faultBit_clearedByA64BitStore_isCleared() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);
      int offset = it.unit.capabilities().faultRecordOffset(0) + 8;

      it.unit.write64(offset, it.unit.read64(offset));

      assertThat(it.status()).isZero();
    }
  }

  @Test
  void b79_reset_keepsTheLog() {
    try (var it = unmasked()) {
      blockedReads(it, 9);

      it.unit.reset();

      assertThat(it.unit.faults()).hasSize(8);
      assertThat(it.status()).isEqualTo(FaultStatus.PPF.mask() | FaultStatus.PFO.mask());
      assertThat(it.unit.read32(Register.GSTS.offset())).isZero();
      assertThat(it.unit.read32(Register.FECTL.offset())).isEqualTo(MASKED);
      assertThat(it.unit.isEnabled()).isFalse();
      assertThat(it.unit.contextCache()).isEmpty();
      assertThat(it.read(0x5000).passed()).isTrue();
    }
  }

  @Test
  void b80_qualifiedFaultUnderFpd_isSilent() {
    try (var it = unmasked()) {
      it.context(X, it.entry().withFaultProcessingDisabled(true));
      it.map(0x5000, 0x9000, SimulatedUnit.READ);

      assertThat(it.write(0x5000).reason()).isEqualTo(FaultReason.WRITE_NOT_PERMITTED);
      assertThat(it.unit.faults()).isEmpty();
      assertThat(it.messages).isEmpty();
    }
  }

  @Test
  void b81_fpdSetWithoutFlush_isNotYetSeen() {
    try (var it = unmasked()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      it.context(X, it.entry().withFaultProcessingDisabled(true));

      it.read(0x6000);
      assertThat(it.unit.faults()).hasSize(1);

      it.contextCommand(ContextCommand.device(SimulatedUnit.DOMAIN, X, 0));
      it.read(0x7000);
      assertThat(it.unit.faults()).hasSize(1);
    }
  }

  @Test
  void b84_units_haveTheirOwnLogs() {
    try (var one = unmasked();
        var other = unmasked()) {
      one.read(0x5000);

      assertThat(one.status()).isNotZero();
      assertThat(other.status()).isZero();
      assertThat(other.messages).isEmpty();
    }
  }

  @Test
  void faultHandler_thatClearsTheLogInTheMessage_findsItConsistent() {
    try (var it = unmasked()) {
      it.read(0x5000);
      it.clearRecord(0);
      it.translate(new SourceId(0x0100), 0x5000, io.hypercalld.iommu.vtd.DmaAccess.WRITE);

      assertThat(it.messages).hasSize(2);
      assertThat(it.record(1).sourceId()).isEqualTo(new SourceId(0x0100));
      assertThat(it.record(1).reason()).contains(FaultReason.ROOT_NOT_PRESENT);
    }
  }
}
