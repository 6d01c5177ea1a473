package io.hypercalld.iommu.acpi;

import static io.hypercalld.iommu.acpi.TableBuilder.endpoint;
import static io.hypercalld.iommu.acpi.TableBuilder.includeAll;
import static io.hypercalld.iommu.acpi.TableBuilder.resealed;
import static io.hypercalld.iommu.acpi.TableBuilder.table;
import static io.hypercalld.iommu.acpi.TableBuilder.unit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.MalformedInput;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DmarParserTest {
  private static final Drhd ALL = includeAll(0xfed9_0000L);

  @Test
  void parse_encodedTable_isTheSameTable() {
    DmarTable table =
        table(
            unit(0xfed9_1000L, endpoint("00:02.0")),
            ALL,
            new Rmrr(0, 0x7b80_0000L, 0x7fff_ffffL, List.of(endpoint("00:02.0"))),
            new Atsr(0, false, List.of(TableBuilder.bridge("00:01.0"))),
            new Rhsa(0xfed9_0000L, 3),
            new Andd(1, "\\_SB.PCI0.I2C0"),
            new Satc(0, true, List.of(endpoint("00:02.0"))),
            new Sidp(0, List.of(endpoint("00:02.0"))));

    assertThat(DmarParser.parse(table.encode())).isEqualTo(table);
  }

  @Test
  void parse_bytesAfterTheTable_areIgnoredWithAWarning() {
    byte[] bytes = table(ALL).encode();

    DmarTable table = DmarParser.parse(Arrays.copyOf(bytes, bytes.length + 32));

    assertThat(table.structures()).containsExactly(ALL);
    assertThat(table.warnings())
        .containsExactly("offset 0x40: 32 bytes after the table are ignored");
  }

  @Test
  void parse_unitWithoutRegisters_isRefused() {
    assertRefused(table(includeAll(0)), "offset 0x30: DRHD register base is 0");
    assertRefused(table(includeAll(0xffff_ffff_ffff_f000L)), "offset 0x30: DRHD register window");
    assertRefused(table(includeAll(0xffff_ffff_ffff_ffffL)), "offset 0x30: DRHD register base");
  }

  @Test
  void parse_unitTwice_isRefused() {
    assertRefused(
        table(unit(0xfed9_0000L), ALL),
        "offset 0x40: DRHD registers at 0xfed90000 overlap those at 0xfed90000 of the DRHD at 0x30");
  }

  @Test
  void parse_includeAllTwice_isRefusedPerSegment() {
    assertRefused(
        table(ALL, includeAll(0xfed9_1000L)),
        "offset 0x40: second INCLUDE_PCI_ALL unit of segment 0; the first is at 0x30");
    assertThat(
            DmarParser.parse(table(ALL, new Drhd(1, 0xfed9_1000L, 0, true, List.of())).encode())
                .warnings())
        .isEmpty();
  }

  @Test
  void parse_includeAllFirst_isAcceptedWithAWarning() {
    DmarTable table =
        DmarParser.parse(table(ALL, unit(0xfed9_1000L, endpoint("00:02.0"))).encode());

    assertThat(table.drhds()).hasSize(2);
    assertThat(table.warnings())
        .containsExactly("offset 0x30: INCLUDE_PCI_ALL unit is not the last of segment 0");
  }

  @Test
  void parse_regionUpsideDown_isRefused() {
    assertRefused(
        table(ALL, new Rmrr(0, 0x8000_0000L, 0x7fff_ffffL, List.of(endpoint("00:02.0")))),
        "offset 0x40: RMRR base 0x80000000 is above its limit 0x7fffffff");
  }

  @Test
  void parse_overlappingRegions_areRefused() {
    assertRefused(
        table(
            ALL,
            new Rmrr(0, 0x7b80_0000L, 0x7fff_ffffL, List.of(endpoint("00:02.0"))),
            new Rmrr(0, 0x7a00_0000L, 0x7b80_0fffL, List.of(endpoint("00:14.0")))),
        "offset 0x60: RMRR 0x7a000000-0x7b800fff and RMRR 0x7b800000-0x7fffffff overlap");
  }

  @Test
  void parse_regionBeyondTheHostAddressWidth_isRefused() {
    assertRefused(
        table(ALL, new Rmrr(0, 1L << 39, (1L << 39) + 0xfff, List.of(endpoint("00:02.0")))),
        "offset 0x40: RMRR 0x8000000000-0x8000000fff lies beyond the host address width of 39 bits");
  }

  @Test
  void parse_secondAllPorts_isRefused() {
    assertRefused(
        table(ALL, new Atsr(0, true, List.of()), new Atsr(0, true, List.of())),
        "offset 0x48: second ATSR with ALL_PORTS of segment 0");
  }

  @Test
  void parse_callerChangesTheBytesLater_doesNotMatter() {
    byte[] bytes = table(ALL, new Andd(1, "NAME")).encode();
    DmarTable table = DmarParser.parse(bytes);

    Arrays.fill(bytes, (byte) 0xff);

    assertThat(table.andds()).containsExactly(new Andd(1, "NAME"));
  }

  @Test
  void parse_lengthBeyondTheEnd_isRefused() {
    byte[] bytes = table(ALL).encode();
    bytes[7] = (byte) 0x80;

    assertThatThrownBy(() -> DmarParser.parse(resealed(bytes)))
        .isInstanceOf(MalformedInput.class)
        .hasMessage("offset 0x4: the table's length is 2147483712 bytes, but only 64 are there");
  }

  private static void assertRefused(DmarTable table, String message) {
    assertThatThrownBy(() -> DmarParser.parse(table.encode()))
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(message);
  }
}
