package io.hypercalld.iommu.vtd;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The masks that QEMU spells out, derived here: spec/vtd.md 2.3. */
final class SecondStageFormatTest {
  private static final int HOST_ADDRESS_WIDTH = 46;
  private static final long BEYOND_HOST = 0x000f_c000_0000_0000L;
  private static final long TM = 1L << 62;
  private static final long SNP = 1L << 11;
  private static final long PS = 1L << 7;

  private static long mask(Capabilities capabilities, int level, boolean pageSize) {
    SecondStageFormat format = new SecondStageFormat(capabilities, HOST_ADDRESS_WIDTH);
    return format.reservedBits(pageSize ? -1L : ~PS, level);
  }

  private static Capabilities with(int pageSizes, boolean snoopControl) {
    return new Capabilities(
        CapabilityFields.SLLPS.of(pageSizes), ExtendedCapabilityFields.SC.of(snoopControl ? 1 : 0));
  }

  @ParameterizedTest
  @CsvSource({"1,true", "1,false"})
  void mask_of4KiBLeaf_ignoresPageSizeBit(int level, boolean pageSize) {
    assertThat(mask(with(3, true), level, pageSize)).isEqualTo(BEYOND_HOST | TM);
    assertThat(mask(with(3, false), level, pageSize)).isEqualTo(BEYOND_HOST | TM | SNP);
  }

  @ParameterizedTest
  @CsvSource({"2", "3"})
  void mask_ofTablePointer_reservesLeafOnlyBits(int level) {
    assertThat(mask(with(3, true), level, false)).isEqualTo(BEYOND_HOST | TM | SNP);
  }

  @ParameterizedTest
  @CsvSource({"4", "5"})
  void mask_ofUpperLevels_reservesPageSize(int level) {
    assertThat(mask(with(3, true), level, true)).isEqualTo(BEYOND_HOST | TM | SNP | PS);
  }

  @ParameterizedTest
  @CsvSource({"2, 0x1ff000", "3, 0x3ffff000"})
  void mask_ofSuperpage_reservesAddressBitsInside(int level, long inside) {
    assertThat(mask(with(3, true), level, true)).isEqualTo(BEYOND_HOST | TM | inside);
    assertThat(mask(with(0, true), level, true)).isEqualTo(BEYOND_HOST | TM | inside | PS);
  }

  @ParameterizedTest
  @CsvSource({"SIZE_4K, 0x9003", "SIZE_2M, 0x200083", "SIZE_1G, 0x40000083"})
  void leaf_ofEachSize_isWellFormed(PageSize size, long expected) {
    long leaf =
        SecondStageEntry.leaf(
            size == PageSize.SIZE_4K ? 0x9000 : size.bytes(), size, SecondStageEntry.READ_WRITE);

    assertThat(leaf).isEqualTo(expected);
    assertThat(
            new SecondStageFormat(with(3, true), HOST_ADDRESS_WIDTH)
                .reservedBits(leaf, size.level()))
        .isZero();
  }
}
