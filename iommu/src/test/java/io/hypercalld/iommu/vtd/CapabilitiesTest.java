package io.hypercalld.iommu.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Registers of real units, as seen in boot logs, and what they say: spec/vtd.md 1.4 and V10. */
final class CapabilitiesTest {
  /** One unit; {@code traits} are the mnemonics of the bits that are set and of interest. */
  private record RealUnit(
      long cap,
      long ecap,
      int domainIds,
      List<AddressWidth> widths,
      int mgaw,
      int faultOffset,
      int faultRecords,
      int mamv,
      int iotlbOffset,
      String traits) {}

  private static final List<AddressWidth> THREE = List.of(AddressWidth.BITS_39);
  private static final List<AddressWidth> FOUR = List.of(AddressWidth.BITS_48);
  private static final List<AddressWidth> BOTH =
      List.of(AddressWidth.BITS_39, AddressWidth.BITS_48);

  static Stream<RealUnit> realUnits() {
    return Stream.of(
        new RealUnit(
            0x00d2_008c_2226_0286L,
            0xf0_0f5aL,
            65536,
            THREE,
            39,
            0x220,
            1,
            18,
            0xf8,
            "CM PSI 2M 1G DRD DWD QI IR EIM PT"),
        new RealUnit(
            0x00d2_008c_222f_0686L,
            0xf0_0f5aL,
            65536,
            BOTH,
            48,
            0x220,
            1,
            18,
            0xf8,
            "CM PSI 2M 1G DRD DWD QI IR EIM PT"),
        new RealUnit(
            0x00c9_0080_2066_0262L,
            0xf0_105aL,
            256,
            THREE,
            39,
            0x200,
            1,
            9,
            0x108,
            "PLMR PHMR ZLR PSI DRD DWD QI IR EIM PT"),
        new RealUnit(
            0x00c0_0000_20e6_0262L,
            0xf0_101aL,
            256,
            THREE,
            39,
            0x200,
            1,
            0,
            0x108,
            "PLMR PHMR ZLR DRD DWD QI IR EIM"),
        new RealUnit(
            0x00c9_0780_106f_0462L,
            0xf0_20feL,
            256,
            FOUR,
            48,
            0x100,
            8,
            9,
            0x208,
            "PLMR PHMR ZLR PSI DRD DWD QI DT IR EIM PT SC"),
        new RealUnit(
            0x08d2_078c_106f_0466L,
            0xf0_20dfL,
            65536,
            FOUR,
            48,
            0x100,
            8,
            18,
            0x208,
            "PLMR PHMR ZLR PSI 2M 1G DRD DWD PI C QI DT IR EIM PT SC"),
        new RealUnit(
            0x00d2_008c_4066_0462L,
            0xf0_50daL,
            256,
            FOUR,
            39,
            0x400,
            1,
            18,
            0x508,
            "PLMR PHMR ZLR PSI 2M 1G DRD DWD QI IR EIM PT SC"));
  }

  @ParameterizedTest
  @MethodSource("realUnits")
  void v10_realRegisters_decodeToWhatTheUnitIs(RealUnit unit) {
    Capabilities capabilities = new Capabilities(unit.cap, unit.ecap);

    assertThat(capabilities.domainIds()).isEqualTo(unit.domainIds);
    assertThat(Stream.of(AddressWidth.values()).filter(capabilities::supports))
        .containsExactlyElementsOf(unit.widths);
    assertThat(capabilities.widest()).isEqualTo(unit.widths.getLast());
    assertThat(capabilities.maximumGuestAddressWidth()).isEqualTo(unit.mgaw);
    assertThat(capabilities.faultRecordOffset(0)).isEqualTo(unit.faultOffset);
    assertThat(capabilities.faultRecords()).isEqualTo(unit.faultRecords);
    assertThat(capabilities.maximumAddressMask()).isEqualTo(unit.mamv);
    assertThat(capabilities.iotlbOffset()).isEqualTo(unit.iotlbOffset);
    assertThat(traits(capabilities)).isEqualTo(unit.traits);
  }

  private static String traits(Capabilities it) {
    return Stream.of(
            trait(it.cachingMode(), "CM"),
            trait(it.protectsLowMemory(), "PLMR"),
            trait(it.protectsHighMemory(), "PHMR"),
            trait(it.zeroLengthReads(), "ZLR"),
            trait(it.pageSelectiveInvalidation(), "PSI"),
            trait(it.supports(PageSize.SIZE_2M), "2M"),
            trait(it.supports(PageSize.SIZE_1G), "1G"),
            trait(it.drainsReads(), "DRD"),
            trait(it.drainsWrites(), "DWD"),
            trait(it.postedInterrupts(), "PI"),
            trait(it.coherentWalks(), "C"),
            trait(it.queuedInvalidation(), "QI"),
            trait(it.deviceTlbs(), "DT"),
            trait(it.interruptRemapping(), "IR"),
            trait(it.extendedInterruptMode(), "EIM"),
            trait(it.passThrough(), "PT"),
            trait(it.snoopControl(), "SC"))
        .flatMap(trait -> trait)
        .reduce((one, other) -> one + " " + other)
        .orElse("");
  }

  private static Stream<String> trait(boolean present, String name) {
    return present ? Stream.of(name) : Stream.empty();
  }

  @Test
  void domainIds_everyEncoding_isAPowerOfTwo() {
    for (int nd = 0; nd <= 6; nd++) {
      assertThat(new Capabilities(CapabilityFields.ND.of(nd), 0).domainIds())
          .isEqualTo(1 << (4 + 2 * nd));
    }
    assertThat(new Capabilities(CapabilityFields.ND.of(7), 0).domainIdsAreReserved()).isTrue();
  }

  @Test
  void addressWidth_everyEncoding_hasItsLevelsAndBits() {
    assertThat(AddressWidth.BITS_39.levels()).isEqualTo(3);
    assertThat(AddressWidth.BITS_39.bits()).isEqualTo(39);
    assertThat(AddressWidth.BITS_57.levels()).isEqualTo(5);
    assertThat(AddressWidth.BITS_57.bits()).isEqualTo(57);
    assertThat(AddressWidth.of(5)).isEmpty();
    assertThat(AddressWidth.ofLevels(4)).isEqualTo(AddressWidth.BITS_48);
  }
}
