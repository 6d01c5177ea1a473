package io.hypercalld.iommu.acpi;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.platform.RealPlatforms;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every malformed table: accepted with what warning, or refused where and why. */
@Timeout(20)
class MalformedTablesConformanceTest {
  private static final Map<String, String> ACCEPTED =
      Map.ofEntries(
          entry("00-control-valid", ""),
          entry("34-unknown-struct-type-7", "structures of unknown type 7 are skipped"),
          entry("44-no-include-all", "segment 0 has no INCLUDE_PCI_ALL unit"),
          entry("46-same-scope-two-drhd", "00:02.0 is claimed by the DRHD at 0x30 already"),
          entry("48-drhd-flags-reserved", "DRHD flags 0xff have reserved bits"),
          entry("52-rmrr-zero-zero", "RMRR 0x0-0x0 is ignored"),
          entry("54-rmrr-no-scope", "RMRR names no device"),
          entry("56-rmrr-other-segment", "RMRR is in segment 5, which has no unit"),
          entry("64-header-reserved-set", "reserved bytes are not zero"),
          entry("66-revision-0", "the revision is 0"),
          entry("68-andd-duplicate-number", "second ANDD with device number 1"),
          entry("70-order-rmrr-before-drhd", "not in ascending order of type"),
          entry("72-path-124-hops", "device scope with a path of 124 steps is ignored"));

  private static final Map<String, String> REFUSED =
      Map.ofEntries(
          entry("02-truncated-4", "offset 0x0: 4 bytes are shorter"),
          entry("04-truncated-dmar-header-40", "offset 0x4: the table's length is 136 bytes, but"),
          entry("06-bad-checksum", "offset 0x9: the checksum is wrong"),
          entry("08-wrong-signature-DMAX", "offset 0x0: the signature is not DMAR"),
          entry("10-signature-IVRS", "offset 0x0: the signature is not DMAR"),
          entry("12-length-smaller-cuts-struct", "offset 0x68: structure of type 1 and length 32"),
          entry("14-length-zero", "offset 0x4: the table's length 0 is shorter"),
          entry("16-struct-length-0", "offset 0x48: structure of type 0 has length 0"),
          entry("18-struct-overruns-table", "offset 0x48: structure of type 0 and length 1024"),
          entry("20-drhd-too-short", "offset 0x30: DRHD of 12 bytes is shorter than 16"),
          entry("22-rhsa-too-short", "offset 0x50: RHSA of 16 bytes is shorter than 20"),
          entry("24-stray-2-bytes-at-end", "offset 0x68: 2 stray bytes"),
          entry("26-scope-length-0", "offset 0x40: device scope of length 0"),
          entry("28-scope-odd-path", "offset 0x40: device scope has an odd number"),
          entry("30-scope-stray-bytes", "offset 0x48: 3 stray bytes"),
          entry("32-scope-dev-32", "offset 0x46: no PCI device has the number 20.0"),
          entry("36-drhd-base-unaligned", "offset 0x48: DRHD register base 0xfed91004"),
          entry("38-drhd-base-all-ones", "offset 0x48: DRHD register window"),
          entry("40-drhd-windows-overlap", "offset 0x48: DRHD registers at 0xfed91000 overlap"),
          entry("42-two-include-all", "offset 0x48: second INCLUDE_PCI_ALL unit of segment 0"),
          entry("50-rmrr-unaligned-base", "offset 0x50: RMRR 0x7b800800-0x7fffffff is not"),
          entry("58-haw-0", "offset 0x24: a host address width of 1 bits"),
          entry("60-haw-255", "offset 0x24: a host address width of 256 bits"),
          entry("62-no-structures", "offset 0x30: the table describes no remapping unit"),
          entry("74-1mib-garbage", "offset 0x0: the signature is not DMAR"),
          entry("76-64k-tiny-unknown", "offset 0x30: the table describes no remapping unit"),
          entry("78-all-zero-4k", "offset 0x0: the signature is not DMAR"),
          entry("80-satc-overrun", "offset 0x70: device scope of length 8 runs past"));

  private static Stream<String> accepted() {
    return ACCEPTED.keySet().stream().sorted();
  }

  private static Stream<String> refused() {
    return REFUSED.keySet().stream().sorted();
  }

  @Test
  void verdicts_speakOfEveryTable() {
    assertThat(RealPlatforms.required().malformed())
        .containsExactlyElementsOf(
            Stream.concat(accepted(), refused()).sorted().map(name -> name + ".bin").toList());
  }

  @ParameterizedTest
  @MethodSource("accepted")
  void parse_oddTable_isAcceptedWithAWarning(String name) {
    DmarTable table = DmarParser.parse(RealPlatforms.required().malformedTable(name + ".bin"));

    String warning = ACCEPTED.getOrDefault(name, "");
    if (warning.isEmpty()) {
      assertThat(table.warnings()).isEmpty();
    } else {
      assertThat(table.warnings()).anyMatch(line -> line.contains(warning));
    }
  }

  @ParameterizedTest
  @MethodSource("refused")
  void parse_malformedTable_isRefusedWithPlaceAndReason(String name) {
    byte[] bytes = RealPlatforms.required().malformedTable(name + ".bin");

    assertThatThrownBy(() -> DmarParser.parse(bytes))
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(REFUSED.getOrDefault(name, ""))
        .hasMessageNotContaining("\n");
  }
}
