package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.unit.Translation.Outcome;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.Register;
import org.junit.jupiter.api.Test;

/** Protected regions of memory: spec/vtd.md 1.8. */
final class ProtectedMemoryBehaviourTest {
  @Test
  void b08_protectedRegion_isBlockedInEveryMode() {
    try (var it = SimulatedUnit.off()) {
      it.write32(Register.PLMBASE, 0x100_0000);
      it.write32(Register.PLMLIMIT, 0x1ff_ffff);
      it.write32(Register.PMEN, 0x8000_0000);

      assertThat(it.read32(Register.PMEN)).isEqualTo(0x8000_0001);
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

      it.write32(Register.PMEN, 0);
      assertThat(it.read32(Register.PMEN)).isZero();
      assertThat(it.read(0x180_0000).passed()).isTrue();
    }
  }

  @Test
  void b08_highRegion_isHalfOfTheStory() {
    try (var it = SimulatedUnit.off()) {
      it.unit.write64(Register.PHMBASE.offset(), 0x1_0000_0000L);
      it.unit.write64(Register.PHMLIMIT.offset(), 0x1_0000_0000L);
      it.write32(Register.PLMBASE, 0x20_0000);
      it.write32(Register.PMEN, 0x8000_0000);

      assertThat(it.read(0x1_001f_ffffL).outcome()).isEqualTo(Outcome.PROTECTED);
      assertThat(it.read(0x1_0020_0000L).passed()).isTrue();
      assertThat(it.read(0x20_0000).passed()).as("limit below base").isTrue();
    }
  }

  @Test
  void b09_regionsUnderProtection_cannotMove() {
    try (var it = SimulatedUnit.off()) {
      it.write32(Register.PMEN, 0x8000_0000);

      it.write32(Register.PLMBASE, 0x100_0000);
      it.unit.write64(Register.PHMLIMIT.offset(), -1L);

      assertThat(it.read32(Register.PLMBASE)).isZero();
      assertThat(it.read64(Register.PHMLIMIT)).isZero();
    }
  }

  @Test
  void protectedBase_writtenWithOnes_showsTheGranularity() {
    try (var it = SimulatedUnit.off()) {
      it.write32(Register.PLMBASE, -1);
      it.unit.write64(Register.PHMBASE.offset(), -1L);

      assertThat(it.read32(Register.PLMBASE)).isEqualTo(0xffe0_0000);
      assertThat(it.read64(Register.PHMBASE)).isEqualTo(0x3fff_ffe0_0000L);
    }
  }

  @Test
  void b10_unitWithoutRegions_hasNoEnableRegister() {
    Capabilities none =
        new Capabilities(
            CapabilityFields.PLMR.put(with(CapabilityFields.PHMR, 0).cap(), 0),
            SimulatedUnit.MODEL.ecap());
    try (var it = SimulatedUnit.off(none)) {
      it.write32(Register.PMEN, -1);
      it.write32(Register.PLMBASE, -1);

      assertThat(it.read32(Register.PMEN)).isZero();
      assertThat(it.read32(Register.PLMBASE)).isZero();
    }
  }
}
