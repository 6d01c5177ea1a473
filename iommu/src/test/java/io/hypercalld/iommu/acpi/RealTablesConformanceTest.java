package io.hypercalld.iommu.acpi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.platform.RealPlatforms;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tables of real machines against somebody else's decoder. */
class RealTablesConformanceTest {
  /** What firmware delivered in a state that a hypervisor must refuse. */
  private static final Set<String> UNUSABLE = Set.of("imacpro-duplicated", "lenovo-flex15-base0");

  private static Stream<String> usable() {
    return RealPlatforms.required().names().stream().filter(name -> !UNUSABLE.contains(name));
  }

  @ParameterizedTest
  @MethodSource("usable")
  void parse_realTable_agreesWithTheOtherDecoder(String name) {
    JsonNode json = RealPlatforms.required().decoded(name);

    DmarTable table = DmarParser.parse(RealPlatforms.required().table(name));

    assertThat(table.hostAddressWidth()).isEqualTo(json.get("host_address_width").asInt());
    assertThat(table.flags()).isEqualTo(json.get("flags").asInt());
    assertThat(table.header().oemId()).isEqualTo(json.at("/header/oem_id").asText());
    assertThat(table.header().oemTableId()).isEqualTo(json.at("/header/oem_table_id").asText());
    assertThat(table.drhds()).isEqualTo(list(json, "drhd", RealTablesConformanceTest::drhd));
    assertThat(table.rmrrs()).isEqualTo(list(json, "rmrr", RealTablesConformanceTest::rmrr));
    assertThat(table.atsrs())
        .isEqualTo(list(json, "atsr", n -> new Atsr(segment(n), flag(n), scopes(n))));
    assertThat(table.rhsas())
        .isEqualTo(
            list(json, "rhsa", n -> new Rhsa(hex(n, "base"), n.get("proximity_domain").asInt())));
    assertThat(table.andds())
        .isEqualTo(
            list(
                json,
                "andd",
                n -> new Andd(n.get("device_number").asInt(), n.get("object_name").asText())));
    assertThat(table.satcs())
        .isEqualTo(list(json, "satc", n -> new Satc(segment(n), flag(n), scopes(n))));
    assertThat(table.sidps()).isEqualTo(list(json, "sidp", n -> new Sidp(segment(n), scopes(n))));
  }

  @ParameterizedTest
  @MethodSource("usable")
  void encode_realTable_givesTheFirmwaresBytes(String name) {
    byte[] bytes = RealPlatforms.required().table(name);
    DmarTable table = DmarParser.parse(bytes);

    byte[] encoded = table.encode();

    if (encoded.length == bytes.length) {
      assertThat(encoded).isEqualTo(bytes);
    } else {
      // Some firmware pads the names of ANDD; nothing reads the padding.
      assertThat(table.andds()).isNotEmpty();
      assertThat(DmarParser.parse(encoded)).isEqualTo(table);
    }
  }

  @Test
  void parse_everyUnitTwice_isRefused() {
    byte[] table = RealPlatforms.required().table("imacpro-duplicated");

    assertThatThrownBy(() -> DmarParser.parse(table))
        .isInstanceOf(MalformedInput.class)
        .hasMessageContaining("overlap");
  }

  @Test
  void parse_unitAtZero_isRefused() {
    byte[] table = RealPlatforms.required().table("lenovo-flex15-base0");

    assertThatThrownBy(() -> DmarParser.parse(table))
        .isInstanceOf(MalformedInput.class)
        .hasMessage("offset 0x30: DRHD register base is 0: firmware gave the unit no registers");
  }

  private static <T> List<T> list(JsonNode json, String key, Function<JsonNode, T> reader) {
    return StreamSupport.stream(json.get(key).spliterator(), false).map(reader).toList();
  }

  private static Drhd drhd(JsonNode node) {
    return new Drhd(
        segment(node),
        hex(node, "base"),
        node.get("size_field").asInt(),
        node.get("include_pci_all").asBoolean(),
        scopes(node));
  }

  private static Rmrr rmrr(JsonNode node) {
    return new Rmrr(segment(node), hex(node, "base"), hex(node, "limit"), scopes(node));
  }

  private static int segment(JsonNode node) {
    return node.get("segment").asInt();
  }

  private static boolean flag(JsonNode node) {
    return (node.get("flags").asInt() & 1) != 0;
  }

  private static long hex(JsonNode node, String key) {
    return Long.decode(node.get(key).asText());
  }

  private static List<DeviceScope> scopes(JsonNode node) {
    List<DeviceScope> scopes = new ArrayList<>();
    for (JsonNode scope : node.get("scopes")) {
      List<DeviceScope.Step> path = new ArrayList<>();
      scope
          .get("path")
          .forEach(
              step ->
                  path.add(new DeviceScope.Step(step.get("dev").asInt(), step.get("fn").asInt())));
      scopes.add(
          new DeviceScope(
              type(scope.get("type_name").asText()),
              scope.get("flags").asInt(),
              scope.get("enumeration_id").asInt(),
              scope.get("start_bus").asInt(),
              path));
    }
    return scopes;
  }

  private static DeviceScope.Type type(String name) {
    return switch (name) {
      case "PCI_ENDPOINT" -> DeviceScope.Type.PCI_ENDPOINT;
      case "PCI_BRIDGE" -> DeviceScope.Type.PCI_BRIDGE;
      case "IOAPIC" -> DeviceScope.Type.IOAPIC;
      case "MSI_HPET" -> DeviceScope.Type.MSI_HPET;
      default -> DeviceScope.Type.ACPI_DEVICE;
    };
  }
}
