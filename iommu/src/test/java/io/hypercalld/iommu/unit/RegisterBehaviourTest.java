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
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.ExtendedCapabilityFields;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootEntry;
import io.hypercalld.iommu.vtd.RootTableAddress;
import org.junit.jupiter.api.Test;

/** Registers and commands: spec/vtd.md 7.2. */
final class RegisterBehaviourTest {
  private static int read32(SimulatedUnit it, Register register) {
    return it.unit.read32(register.offset(it.unit.capabilities()));
  }

  private static long read64(SimulatedUnit it, Register register) {
    return it.unit.read64(register.offset(it.unit.capabilities()));
  }

  private static void write32(SimulatedUnit it, Register register, int value) {
    it.unit.write32(register.offset(), value);
  }

  @Test
  void b01_afterReset_onlyMasksAndConstantsAreSet() {
    try (var it = SimulatedUnit.off()) {
      assertThat(it.unit.registers())
          .filteredOn(reading -> reading.value() != 0)
          .extracting(RegisterReading::name)
          .containsExactly("VER", "CAP", "ECAP", "FECTL", "IECTL");
      assertThat(read32(it, Register.FECTL)).isEqualTo(0x8000_0000);
      assertThat(read32(it, Register.IECTL)).isEqualTo(0x8000_0000);
      assertThat(read32(it, Register.GCMD)).isZero();
      assertThat(read64(it, Register.IRTA)).isZero();
    }
  }

  @Test
  void b02_rootAddressWithoutSrtp_isShownButNotUsed() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);

      it.unit.write64(Register.RTADDR.offset(), RootTableAddress.legacy(0x77_7000));

      assertThat(read64(it, Register.RTADDR)).isEqualTo(0x77_7000);
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
      write32(it, Register.GCMD, bits(GlobalCommand.TE));

      assertThat(read32(it, Register.GSTS)).isEqualTo(bits(GlobalCommand.TE, GlobalCommand.SRTP));
    }
  }

  @Test
  void b05_statusWrittenBackWithTe_relatchesTheSameTable() {
    try (var it = SimulatedUnit.off()) {
      it.context(X, it.entry());
      it.map(0x5000, 0x9000);
      it.setRootPointer(it.rootTable);

      write32(it, Register.GCMD, read32(it, Register.GSTS) | bits(GlobalCommand.TE));

      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);
      write32(it, Register.GCMD, read32(it, Register.GSTS));
      assertThat(it.read(0x6000 - 1).maddr()).isEqualTo(0x9fff);
    }
  }

  @Test
  void b06_zeroCommand_turnsPersistentBitsOff() {
    try (var it = SimulatedUnit.on()) {
      it.command(GlobalCommand.QIE, true);

      write32(it, Register.GCMD, 0);

      assertThat(read32(it, Register.GSTS)).isEqualTo(bits(GlobalCommand.SRTP));
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
  void b08_protectedRegion_isBlockedInEveryMode() {
    try (var it = SimulatedUnit.off()) {
      write32(it, Register.PLMBASE, 0x100_0000);
      write32(it, Register.PLMLIMIT, 0x1ff_ffff);
      write32(it, Register.PMEN, 0x8000_0000);

      assertThat(read32(it, Register.PMEN)).isEqualTo(0x8000_0001);
      assertThat(it.write(0x100_0000).outcome()).isEqualTo(Outcome.PROTECTED);
      assertThat(it.read(0x1ff_ffff).outcome()).isEqualTo(Outcome.PROTECTED);
      assertThat(it.read(0xff_ffff).passed()).isTrue();
      assertThat(it.read(0x200_0000).passed()).isTrue();

      it.start();
      it.map(0x5000, 0x180_0000);
      assertThat(it.read(0x5000).outcome()).isEqualTo(Outcome.PROTECTED);
      it.context(X, ContextEntry.passingThrough(AddressWidth.BITS_48, DOMAIN));
      it.invalidateEverything();
      assertThat(it.read(0x180_0000).outcome()).isEqualTo(Outcome.PROTECTED);
      assertThat(it.status()).isZero();
      assertThat(it.unit.counters().protectedBlocks()).isEqualTo(4);

      write32(it, Register.PMEN, 0);
      assertThat(read32(it, Register.PMEN)).isZero();
      assertThat(it.read(0x180_0000).passed()).isTrue();
    }
  }

  @Test
  void b08_highRegion_isHalfOfTheStory() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.PHMBASE.offset(), 0x1_0000_0000L);
      it.unit.write64(Register.PHMLIMIT.offset(), 0x1_0000_0000L);
      write32(it, Register.PLMBASE, 0x20_0000);
      write32(it, Register.PMEN, 0x8000_0000);

      assertThat(it.read(0x1_001f_ffffL).outcome()).isEqualTo(Outcome.PROTECTED);
      assertThat(it.read(0x1_0020_0000L).passed()).isTrue();
      assertThat(it.read(0x20_0000).passed()).as("limit below base").isTrue();
    }
  }

  @Test
  void b09_regionsUnderProtection_cannotMove() {
    try (var it = SimulatedUnit.off()) {
      write32(it, Register.PMEN, 0x8000_0000);

      write32(it, Register.PLMBASE, 0x100_0000);
      it.unit.write64(Register.PHMLIMIT.offset(), -1L);

      assertThat(read32(it, Register.PLMBASE)).isZero();
      assertThat(read64(it, Register.PHMLIMIT)).isZero();
    }
  }

  @Test
  void protectedBase_writtenWithOnes_showsTheGranularity() {
    try (var it = SimulatedUnit.off()) {
      write32(it, Register.PLMBASE, -1);
      it.unit.write64(Register.PHMBASE.offset(), -1L);

      assertThat(read32(it, Register.PLMBASE)).isEqualTo(0xffe0_0000);
      assertThat(read64(it, Register.PHMBASE)).isEqualTo(0x3fff_ffe0_0000L);
    }
  }

  @Test
  void b10_unitWithoutRegions_hasNoEnableRegister() {
    Capabilities none =
        new Capabilities(
            CapabilityFields.PLMR.put(with(CapabilityFields.PHMR, 0).cap(), 0),
            SimulatedUnit.MODEL.ecap());
    try (var it = SimulatedUnit.off(none)) {
      write32(it, Register.PMEN, -1);
      write32(it, Register.PLMBASE, -1);

      assertThat(read32(it, Register.PMEN)).isZero();
      assertThat(read32(it, Register.PLMBASE)).isZero();
    }
  }

  @Test
  void b11_contextCommandOfReservedGranularity_doesNothing() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);

      it.contextCommand(ContextCommand.ICC.of(1));

      assertThat(read64(it, Register.CCMD)).isZero();
      assertThat(it.unit.contextCache()).hasSize(1);
    }
  }

  @Test
  void contextCommand_done_showsWhatWasDoneAndHidesTheSource() {
    try (var it = SimulatedUnit.on()) {
      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));

      long command = read64(it, Register.CCMD);
      assertThat(ContextCommand.ICC.isSet(command)).isFalse();
      assertThat(ContextCommand.CAIG.get(command)).isEqualTo(3);
      assertThat(ContextCommand.SID.get(command)).isZero();
      assertThat(ContextCommand.DID.get(command)).isEqualTo(DOMAIN);
    }
  }

  @Test
  void contextCommand_inHalves_startsWithTheUpperOne() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);
      long command = ContextCommand.device(DOMAIN, X, 0);

      write32(it, Register.CCMD, (int) command);
      assertThat(it.unit.contextCache()).hasSize(1);
      it.unit.write32(Register.CCMD.offset() + 4, (int) (command >>> 32));

      assertThat(it.unit.contextCache()).isEmpty();
    }
  }

  @Test
  void b12_pageSelectiveBeyondMamv_isRefused() {
    try (var it = SimulatedUnit.on()) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);

      it.invalidatePages(DOMAIN, 0, 19);

      long command = it.unit.read64(it.unit.capabilities().iotlbOffset());
      assertThat(IotlbCommand.IVT.isSet(command)).isFalse();
      assertThat(IotlbCommand.IAIG.get(command)).isZero();
      assertThat(it.unit.iotlb()).hasSize(1);
    }
  }

  @Test
  void b13_pageSelectiveWithoutPsi_isNeverClaimed() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.PSI, 0))) {
      it.map(0x5000, 0x9000);
      it.read(0x5000);

      it.invalidatePages(DOMAIN, 0x5000, 0);

      long command = it.unit.read64(it.unit.capabilities().iotlbOffset());
      assertThat(IotlbCommand.IAIG.get(command)).isZero();
      assertThat(it.unit.iotlb()).hasSize(1);
    }
  }

  @Test
  void b14_upperEventAddress_withoutExtendedMode_readsZero() {
    try (var it = SimulatedUnit.off()) {
      write32(it, Register.FEUADDR, -1);
      write32(it, Register.IEUADDR, -1);

      assertThat(read32(it, Register.FEUADDR)).isZero();
      assertThat(read32(it, Register.IEUADDR)).isZero();
    }
  }

  @Test
  void b15_constants_ignoreWrites() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.CAP.offset(), 0);
      it.unit.write32(Register.VER.offset(), 0x77);
      it.unit.write32(Register.ECAP.offset() + 4, -1);

      assertThat(read64(it, Register.CAP)).isEqualTo(SimulatedUnit.MODEL.cap());
      assertThat(read64(it, Register.ECAP)).isEqualTo(SimulatedUnit.MODEL.ecap());
      assertThat(read32(it, Register.VER)).isEqualTo(0x10);
    }
  }

  @Test
  void b16_queueAddress_whileOff_resetsTheHead() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.IQT.offset(), 0x40);

      it.unit.write64(Register.IQA.offset(), InvalidationQueueFields.ring(0x20_0000, 1));

      assertThat(read64(it, Register.IQH)).isZero();
      assertThat(it.unit.queue().size()).isEqualTo(512);
    }
  }

  @Test
  void b17_queueSwitchedOff_headIsZero() {
    try (var it = SimulatedUnit.off()) {
      QueueSoftware queue = new QueueSoftware(it, 0);
      queue.submit(io.hypercalld.iommu.vtd.InvalidationDescriptor.allContexts());
      assertThat(read64(it, Register.IQH)).isEqualTo(0x10);

      it.command(GlobalCommand.QIE, false);

      assertThat(read64(it, Register.IQH)).isZero();
      assertThat(read32(it, Register.GSTS)).isZero();
    }
  }

  @Test
  void b18_writeBufferFlush_isDoneAtOnce() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.RWBF, 1))) {
      write32(it, Register.GCMD, bits(GlobalCommand.TE, GlobalCommand.WBF));

      assertThat(read32(it, Register.GSTS)).isEqualTo(bits(GlobalCommand.TE, GlobalCommand.SRTP));
    }
  }

  @Test
  void b18_addedEntry_mayBeUnseenUntilTheWriteBufferIsFlushed() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.RWBF, 1))) {
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.map(0x5000, 0x9000);
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);

      write32(it, Register.GCMD, bits(GlobalCommand.TE, GlobalCommand.WBF));
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);

      assertThat(it.faultOf(0x6000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.map(0x6000, 0x9000);
      it.invalidatePages(SimulatedUnit.DOMAIN + 1, 0, 0);
      assertThat(it.read(0x6000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void versionSix_hasNoRegisterInvalidation() {
    UnitSettings newer =
        UnitSettings.of(0x60, SimulatedUnit.MODEL, SimulatedUnit.HOST_ADDRESS_WIDTH);
    try (var it = SimulatedUnit.off(newer)) {
      it.unit.write64(Register.CCMD.offset(), -1L);
      it.unit.write64(it.unit.capabilities().iotlbOffset(), -1L);

      assertThat(it.unit.read64(Register.CCMD.offset())).isZero();
      assertThat(it.unit.read64(it.unit.capabilities().iotlbOffset())).isZero();
    }
  }

  @Test
  void features_thatTheUnitLacks_cannotBeSwitchedOn() {
    try (var it = SimulatedUnit.off()) {
      write32(it, Register.GCMD, bits(GlobalCommand.IRE, GlobalCommand.SIRTP, GlobalCommand.CFI));
      it.unit.write64(Register.IRTA.offset(), -1L);

      assertThat(read32(it, Register.GSTS)).isZero();
      assertThat(read64(it, Register.IRTA)).isZero();
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
      write32(it, Register.GCMD, srtp);
      assertThat(it.read(0x5000).reason()).isEqualTo(FaultReason.DMA_ABORTED);

      it.unit.write64(Register.RTADDR.offset(), it.rootTable | RootTableAddress.TTM.of(1));
      write32(it, Register.GCMD, srtp);
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
  void newerVersions_haveNoRegisterInvalidation() {
    UnitSettings settings = UnitSettings.of(0x60, SimulatedUnit.MODEL, 46);
    try (var it = SimulatedUnit.off(settings).start()) {
      it.read(0x5000);

      it.contextCommand(ContextCommand.global());

      assertThat(it.unit.contextCache()).hasSize(1);
      assertThat(read64(it, Register.CCMD)).isZero();
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
