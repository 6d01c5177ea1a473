package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.bits;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.Translation.Outcome;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import org.junit.jupiter.api.Test;

/** Registers and commands: spec/vtd.md 7.2. */
final class RegisterBehaviourTest {
  @Test
  void b01_afterReset_onlyMasksAndConstantsAreSet() {
    try (var it = SimulatedUnit.off()) {
      assertThat(it.unit.registers())
          .filteredOn(reading -> reading.value() != 0)
          .extracting(RegisterReading::name)
          .containsExactly("VER", "CAP", "ECAP", "FECTL", "IECTL");
      assertThat(it.read32(Register.FECTL)).isEqualTo(0x8000_0000);
      assertThat(it.read32(Register.IECTL)).isEqualTo(0x8000_0000);
      assertThat(it.read32(Register.GCMD)).isZero();
      assertThat(it.read64(Register.IRTA)).isZero();
    }
  }

  @Test
  void b02_rootAddressWithoutSrtp_isShownButNotUsed() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);

      it.unit.write64(Register.RTADDR.offset(), RootTableAddress.legacy(0x77_7000));

      assertThat(it.read64(Register.RTADDR)).isEqualTo(0x77_7000);
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void b03_setRootPointer_isEffectiveForWhatIsNotCached() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);

      it.setRootPointer(it.newTable());

      assertThat(it.unit.read32(Register.GSTS.offset()) & bits(GlobalCommand.SRTP)).isNotZero();
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      it.invalidateEverything();
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.ROOT_NOT_PRESENT);
    }
  }

  @Test
  void b03_withEsrtps_theHardwareInvalidatesByItself() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.ESRTPS, 1))) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);

      it.setRootPointer(it.newTable());

      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.ROOT_NOT_PRESENT);
    }
  }

  @Test
  void b04_commandWithoutSrtp_leavesItsStatusSet() {
    try (var it = SimulatedUnit.on()) {
      it.write32(Register.GCMD, bits(GlobalCommand.TE));

      assertThat(it.read32(Register.GSTS)).isEqualTo(bits(GlobalCommand.TE, GlobalCommand.SRTP));
    }
  }

  @Test
  void b05_statusWrittenBackWithTe_relatchesTheSameTable() {
    try (var it = SimulatedUnit.off()) {
      it.context(X, it.entry());
      it.map(0x5000, 0x9000);
      it.setRootPointer(it.rootTable);

      it.write32(Register.GCMD, it.read32(Register.GSTS) | bits(GlobalCommand.TE));

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      it.write32(Register.GCMD, it.read32(Register.GSTS));
      assertThat(it.read(0x6000 - 1).maddr()).isEqualTo(0x9fff);
    }
  }

  @Test
  void b06_zeroCommand_turnsPersistentBitsOff() {
    try (var it = SimulatedUnit.on()) {
      it.command(GlobalCommand.QIE, true);

      it.write32(Register.GCMD, 0);

      assertThat(it.read32(Register.GSTS)).isEqualTo(bits(GlobalCommand.SRTP));
    }
  }

  @Test
  void b07_translationOff_everythingPasses() {
    try (var it = SimulatedUnit.off()) {
      assertThat(it.write(0x123_4567).outcome()).isEqualTo(Outcome.UNTRANSLATED);
      assertThat(it.translation.maddr()).isEqualTo(0x123_4567);
      assertThat(it.status()).isZero();
    }
  }

  @Test
  void b14_upperEventAddress_withoutExtendedMode_readsZero() {
    try (var it = SimulatedUnit.off()) {
      it.write32(Register.FEUADDR, -1);
      it.write32(Register.IEUADDR, -1);

      assertThat(it.read32(Register.FEUADDR)).isZero();
      assertThat(it.read32(Register.IEUADDR)).isZero();
    }
  }

  @Test
  void b15_constants_ignoreWrites() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.CAP.offset(), 0);
      it.unit.write32(Register.VER.offset(), 0x77);
      it.unit.write32(Register.ECAP.offset() + 4, -1);

      assertThat(it.read64(Register.CAP)).isEqualTo(SimulatedUnit.MODEL.cap());
      assertThat(it.read64(Register.ECAP)).isEqualTo(SimulatedUnit.MODEL.ecap());
      assertThat(it.read32(Register.VER)).isEqualTo(0x10);
    }
  }

  @Test
  void b16_queueAddress_whileOff_resetsTheHead() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.IQT.offset(), 0x40);

      it.unit.write64(Register.IQA.offset(), InvalidationQueueFields.ring(0x20_0000, 1));

      assertThat(it.read64(Register.IQH)).isZero();
      assertThat(it.unit.queue().size()).isEqualTo(512);
    }
  }

  @Test
  void b17_queueSwitchedOff_headIsZero() {
    try (var it = SimulatedUnit.off()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      queue.submit(io.hypercalld.iommu.vtd.InvalidationDescriptor.allContexts());
      assertThat(it.read64(Register.IQH)).isEqualTo(0x10);

      it.command(GlobalCommand.QIE, false);

      assertThat(it.read64(Register.IQH)).isZero();
      assertThat(it.read32(Register.GSTS)).isZero();
    }
  }

  @Test
  void features_thatTheUnitLacks_cannotBeSwitchedOn() {
    try (var it = SimulatedUnit.off()) {
      it.write32(Register.GCMD, bits(GlobalCommand.IRE, GlobalCommand.SIRTP, GlobalCommand.CFI));
      it.unit.write64(Register.IRTA.offset(), -1L);

      assertThat(it.read32(Register.GSTS)).isZero();
      assertThat(it.read64(Register.IRTA)).isZero();
    }
  }

  /** MTRRs, performance monitoring, enhanced and virtual commands, the advanced fault log. */
  @Test
  void registersThatNoUnitHereHas_areNotAnnounced_andReadZero() {
    Capabilities greedy =
        new Capabilities(
            SimulatedUnit.MODEL.cap() | CapabilityFields.AFL.of(1) | CapabilityFields.ECMDS.of(1),
            SimulatedUnit.MODEL.ecap()
                | ExtendedCapabilityFields.MTS.of(1)
                | ExtendedCapabilityFields.PMS.of(1)
                | ExtendedCapabilityFields.VCS.of(1));
    try (SimulatedUnit it = SimulatedUnit.off(greedy)) {
      assertThat(it.unit.capabilities()).isEqualTo(SimulatedUnit.MODEL);
      int[] offsets = {
        0x058, 0x100, 0x108, 0x120, 0x170, 0x180, 0x1f8, 0x300, 0x400, 0x408, 0x410, 0x430, 0xe00,
        0xe10, 0xe20
      };
      for (int offset : offsets) {
        it.unit.write64(offset, -1);
        assertThat(it.unit.read64(offset)).as("0x%x", offset).isZero();
      }
    }
  }

  @Test
  void tableModes_otherThanLegacy_blockEveryRequest() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);
      int srtp = bits(GlobalCommand.TE, GlobalCommand.SRTP);

      it.unit.write64(Register.RTADDR.offset(), it.rootTable | RootTableAddress.TTM.of(3));
      it.write32(Register.GCMD, srtp);
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.DMA_ABORTED);

      it.unit.write64(Register.RTADDR.offset(), it.rootTable | RootTableAddress.TTM.of(1));
      it.write32(Register.GCMD, srtp);
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.ROOT_TABLE_MODE_INVALID);
      assertThat(it.unit.faults()).hasSize(2);
    }
  }

  @Test
  void oddAccesses_areNotImplementedOffsets() {
    try (var it = SimulatedUnit.off()) {
      assertThat(it.unit.read32(0x0a)).isZero();
      assertThat(it.unit.read64(0x0c)).isZero();
      assertThat(it.unit.read32(-4)).isZero();
      assertThat(it.unit.read32(0x1000)).isZero();
      it.unit.write64(Integer.MAX_VALUE - 7, -1L);
      it.unit.write32(0x300, -1);
      assertThat(it.unit.read32(0x300)).isZero();
    }
  }

  @Test
  void fiveLevelTables_translate57Bits() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.SAGAW, 0b0_1000))) {
      long top = it.newTable();
      it.context(X, ContextEntry.translating(top, AddressWidth.BITS_57, DOMAIN));
      long slot = it.slot(top, 5, 0x5000, 1);
      it.memory.writeWord(slot, 0x9003);

      assertThat(it.read(0x5123).maddr()).isEqualTo(0x9123);
      assertThat(it.translate(X, 1L << 48, DmaAccess.READ).reason())
          .as("MGAW of 48 clips it")
          .isEqualTo(FaultReason.ADDRESS_BEYOND_WIDTH);
      assertThat(RootEntry.offset(X)).isEqualTo(0x30);
    }
  }
}
