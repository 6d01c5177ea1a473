package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.bits;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.UnitVersion;
import org.junit.jupiter.api.Test;

/** Invalidation by registers, and the write buffer: spec/vtd.md 1.5, 1.6. */
final class RegisterInvalidationBehaviourTest {
  @Test
  void b11_contextCommandOfReservedGranularity_doesNothing() {
    try (var it = SimulatedUnit.on()) {
      it.read(0x5000);

      it.contextCommand(ContextCommand.ICC.of(1));

      assertThat(it.read64(Register.CCMD)).isZero();
      assertThat(it.unit.contextCache()).hasSize(1);
    }
  }

  @Test
  void contextCommand_done_showsWhatWasDoneAndHidesTheSource() {
    try (var it = SimulatedUnit.on()) {
      it.contextCommand(ContextCommand.device(DOMAIN, X, 0));

      long command = it.read64(Register.CCMD);
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

      it.write32(Register.CCMD, (int) command);
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
  void b18_writeBufferFlush_isDoneAtOnce() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.RWBF, 1))) {
      it.write32(Register.GCMD, bits(GlobalCommand.TE, GlobalCommand.WBF));

      assertThat(it.read32(Register.GSTS)).isEqualTo(bits(GlobalCommand.TE, GlobalCommand.SRTP));
    }
  }

  @Test
  void b18_addedEntry_mayBeUnseenUntilTheWriteBufferIsFlushed() {
    try (var it = SimulatedUnit.on(with(CapabilityFields.RWBF, 1))) {
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.map(0x5000, 0x9000);
      assertThat(it.faultOf(0x5000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);

      it.write32(Register.GCMD, bits(GlobalCommand.TE, GlobalCommand.WBF));
      assertThat(it.read(0x5000).maddr()).isEqualTo(0x9000);

      assertThat(it.faultOf(0x6000, DmaAccess.READ)).isEqualTo(FaultReason.READ_NOT_PERMITTED);
      it.map(0x6000, 0x9000);
      it.invalidatePages(SimulatedUnit.DOMAIN + 1, 0, 0);
      assertThat(it.read(0x6000).maddr()).isEqualTo(0x9000);
    }
  }

  @Test
  void newerVersions_haveNoRegisterInvalidation() {
    UnitSettings settings = UnitSettings.of(new UnitVersion(0x60), SimulatedUnit.MODEL, 46);
    try (var it = SimulatedUnit.off(settings).start()) {
      it.read(0x5000);

      it.contextCommand(ContextCommand.global());

      assertThat(it.unit.contextCache()).hasSize(1);
      it.unit.write64(it.unit.capabilities().iotlbOffset(), -1L);
      assertThat(it.read64(Register.CCMD)).isZero();
      assertThat(it.unit.read64(it.unit.capabilities().iotlbOffset())).isZero();
    }
  }
}
