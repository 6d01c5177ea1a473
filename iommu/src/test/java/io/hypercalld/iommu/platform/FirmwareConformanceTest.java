package io.hypercalld.iommu.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.iommu.acpi.DmarParser;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.LspciListing;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Machines made of real tables and listings. */
class FirmwareConformanceTest {
  private static Stream<String> listed() {
    return RealPlatforms.required().listed().stream();
  }

  private static Stream<String> usable() {
    return RealPlatforms.required().names().stream()
        .filter(name -> !name.equals("imacpro-duplicated") && !name.equals("lenovo-flex15-base0"));
  }

  private static Platform platform(String name) {
    RealPlatforms platforms = RealPlatforms.required();
    return Platform.fromFirmware(
        DmarParser.parse(platforms.table(name)), LspciListing.parse(platforms.listing(name)));
  }

  @ParameterizedTest
  @CsvSource({"dell-r820, 195", "framework-13-mtl, 28", "hp-dl380e-g8, 137", "quanta-x10e-9n, 15"})
  void listing_realMachine_hasEveryFunction(String name, int functions) {
    assertThat(LspciListing.parse(RealPlatforms.required().listing(name))).hasSize(functions);
  }

  @ParameterizedTest
  @MethodSource("listed")
  void unitOf_everyListedFunction_isWhatTheTableSays(String name) {
    JsonNode decoded = RealPlatforms.required().decoded(name);
    Platform platform = platform(name);
    PciTopology topology = platform.topology();
    UnitScopes scopes = platform.unitScopes(topology);

    for (PciFunction function : platform.functions()) {
      assertThat(scopes.unitOf(function.sbdf()))
          .as(function.sbdf().toString())
          .isEqualTo(expectedUnit(decoded, platform.functions(), function.sbdf()));
    }
    topology.all().stream()
        .filter(PciFunction::isVirtual)
        .forEach(
            virtual ->
                assertThat(scopes.unitOf(virtual.sbdf()))
                    .isEqualTo(scopes.unitOf(virtual.physicalFunction().orElseThrow())));
  }

  /** The specification's words once more, over the other decoder's output. */
  private static OptionalInt expectedUnit(
      JsonNode decoded, List<PciFunction> functions, Sbdf sbdf) {
    int all = -1;
    for (int index = 0; index < decoded.get("drhd").size(); index++) {
      JsonNode drhd = decoded.get("drhd").get(index);
      all = drhd.get("include_pci_all").asBoolean() ? index : all;
      for (JsonNode scope : drhd.get("scopes")) {
        int type = scope.get("type").asInt();
        assertThat(scope.get("path")).as("multi-step scopes are only in RMRRs here").hasSize(1);
        Sbdf named =
            new Sbdf(
                0,
                scope.get("start_bus").asInt(),
                scope.at("/path/0/dev").asInt(),
                scope.at("/path/0/fn").asInt());
        boolean below =
            functions.stream()
                .filter(function -> function.sbdf().equals(named))
                .flatMap(function -> function.buses().stream())
                .anyMatch(buses -> buses.contains(sbdf.bus()));
        if ((type <= 2 && named.equals(sbdf)) || (type == 2 && below)) {
          return OptionalInt.of(index);
        }
      }
    }
    return all < 0 ? OptionalInt.empty() : OptionalInt.of(all);
  }

  @ParameterizedTest
  @CsvSource({
    "40:02.0, 0xcf000000",
    "40:05.2, 0xcf000000",
    "41:00.0, 0xcf000000",
    "80:05.0, 0xc8000000",
    "c0:05.0, 0xc4000000",
    "00:1a.0, 0xdf100000",
    "3f:08.0, 0xdf100000",
    "0a:00.0, 0xdf100000"
  })
  void unitOf_dellR820_isAsItsTableSays(String sbdf, String base) {
    Platform platform = platform("dell-r820");

    int unit = platform.unitScopes(platform.topology()).unitOf(Sbdf.parse(sbdf)).orElseThrow();

    assertThat(platform.units().get(unit).base()).isEqualTo(Long.decode(base));
  }

  @ParameterizedTest
  @MethodSource("usable")
  void memoryMap_realTable_hasRegionsInRamAndWindowsOutsideIt(String name) {
    byte[] table = RealPlatforms.required().table(name);

    Platform platform = Platform.fromFirmware(DmarParser.parse(table), List.of());

    MemoryMap map = platform.memoryMap();
    assertThat(platform.reservedRegions())
        .allMatch(region -> map.isRam(region.base(), region.limit() + 1 - region.base()));
    assertThat(platform.units())
        .noneMatch(unit -> map.isRam(unit.base(), 1) || map.isRam(unit.end() - 1, 1));
    assertThat(map.highTop()).isLessThanOrEqualTo(1L << platform.hostAddressWidth());
    assertThat(platform.memory().lowTop()).isGreaterThanOrEqualTo(2L << 30);
    assertThat(platform.memory().bytes()).isGreaterThan(60L << 30);
  }

  @Test
  void reservedRegions_multiStepPaths_findDevicesBehindBridges() {
    Platform platform = platform("hp-dl380e-g8");

    // Path 00:1c.7/00.2: the third function behind the root port.
    assertThat(platform.reservedRegionsOf(Sbdf.parse("01:00.2")))
        .anyMatch(region -> region.base() == 0x7dff_6000L);
    // Named by the table, but not there: 00:1f.5.
    assertThat(platform.reservedRegions())
        .noneMatch(region -> region.devices().contains(Sbdf.parse("00:1f.5")));
  }

  @Test
  void virtualFunctions_listedWithoutAny_areAvailable() {
    PciTopology topology = platform("hp-dl380e-g8").topology();

    assertThat(topology.virtualFunctions(Sbdf.parse("02:00.0"))).hasSize(8);
    assertThat(topology.find(Sbdf.parse("03:10.0"))).isPresent();
    assertThat(platform("framework-13-mtl").topology().virtualFunctions(Sbdf.parse("00:02.0")))
        .hasSize(7);
  }

  @Test
  void kinds_realMachine_areThoseOfItsParts() {
    PciTopology topology = platform("quanta-x10e-9n").topology();

    assertThat(topology.require(Sbdf.parse("00:00.0")).kind()).isEqualTo(PciKind.HOST_BRIDGE);
    assertThat(topology.require(Sbdf.parse("00:01.0")).buses()).contains(new BusRange(1, 1));
    assertThat(topology.require(Sbdf.parse("02:00.0")).kind())
        .isEqualTo(PciKind.PCIE_TO_PCI_BRIDGE);
    assertThat(topology.require(Sbdf.parse("03:00.0")).kind()).isEqualTo(PciKind.PCI);
    assertThat(topology.group(Sbdf.parse("03:00.0"))).isEqualTo(Sbdf.parse("02:00.0"));
  }

  @Test
  void fromFirmware_listingWithoutBuses_isRefusedWhereAUnitCoversABridge() {
    RealPlatforms platforms = RealPlatforms.required();
    String minimal =
        platforms
            .listing("dell-r820")
            .lines()
            .filter(line -> !line.isEmpty() && !Character.isWhitespace(line.charAt(0)))
            .reduce("", (text, line) -> text + line + "\n");

    assertThatThrownBy(
            () ->
                Platform.fromFirmware(
                    DmarParser.parse(platforms.table("dell-r820")), LspciListing.parse(minimal)))
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(
            "device 0000:40:01.0: the unit at 0xcf000000 covers what is behind");
  }

  @Test
  void fromFirmware_listingWithoutBuses_bootsWhereOneUnitCoversAll() {
    RealPlatforms platforms = RealPlatforms.required();
    String minimal =
        platforms
            .listing("quanta-x10e-9n")
            .lines()
            .filter(line -> !line.isEmpty() && !Character.isWhitespace(line.charAt(0)))
            .reduce("", (text, line) -> text + line + "\n");

    Platform platform =
        Platform.fromFirmware(
            DmarParser.parse(platforms.table("quanta-x10e-9n")), LspciListing.parse(minimal));

    assertThat(platform.functions()).hasSize(15);
  }

  @Test
  void fromFirmware_listingOfAnotherMachine_isAMachineOrRefused() {
    for (String table : RealPlatforms.required().names()) {
      for (String listing : RealPlatforms.required().listed()) {
        boolean boots = isPlatform(RealPlatforms.required().table(table), listing);
        assertThat(boots || !table.equals(listing)).isTrue();
      }
    }
  }

  @Test
  void fromFirmware_anyBitFlipped_isAMachineOrRefused() {
    for (String name : RealPlatforms.required().listed()) {
      byte[] bytes = RealPlatforms.required().table(name);
      for (int bit = 36 * 8; bit < bytes.length * 8; bit += 3) {
        byte[] changed = bytes.clone();
        changed[bit / 8] ^= (byte) (1 << bit % 8);
        int sum = 0;
        for (byte each : changed) {
          sum += each;
        }
        changed[9] -= (byte) sum;
        isPlatform(changed, "quanta-x10e-9n");
      }
    }
  }

  private static boolean isPlatform(byte[] table, String listing) {
    try {
      Platform platform =
          Platform.fromFirmware(
              DmarParser.parse(table),
              LspciListing.parse(RealPlatforms.required().listing(listing)));
      assertThat(platform.memoryMap().usable()).isNotEmpty();
      return true;
    } catch (MalformedInput refused) {
      assertThat(refused.reason()).doesNotContain("\n");
      return false;
    }
  }
}
