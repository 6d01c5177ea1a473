package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.ENODEV;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.AcpiHeader;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.DmarStructure;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.acpi.Rmrr;
import io.hypercalld.iommu.pci.Sbdf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** B131 to B140: which table boots, and which unit each device is behind then. */
final class DmarBootAcceptanceTest implements NumberedBehaviours<DmarBootAcceptanceTest.Desk> {
  private static final int HEADER = 48;
  private static final int CHECKSUM = 9;
  private static final long UNIT_A = 0xfed9_0000L;
  private static final long UNIT_B = 0xfed9_1000L;

  @TempDir private Path folder;

  /** Every row boots a machine of its own. */
  record Desk(Path folder) implements Host {
    private byte[] table(DmarStructure... structures) {
      AcpiHeader header = new AcpiHeader(1, "ACME  ", "MACHINE ", 1, "TEST", 1);
      return new DmarTable(header, 46, 1, List.of(structures), List.of()).encode();
    }

    private AssignmentHost boot(byte[] table, Optional<String> listing) throws IOException {
      Path dmar = Files.write(folder.resolve("dmar.bin"), table);
      Optional<Path> lspci = Optional.empty();
      if (listing.isPresent()) {
        lspci = Optional.of(Files.writeString(folder.resolve("lspci.txt"), listing.get()));
      }
      return AssignmentHost.on(PlatformSource.firmware(dmar, lspci));
    }

    private void refuses(byte[] table, String because) {
      assertThatThrownBy(() -> boot(table, Optional.empty()))
          .isInstanceOf(MalformedInput.class)
          .hasMessageContaining(because);
    }

    @Override
    public void close() {}
  }

  @Override
  public Desk start() {
    return new Desk(folder);
  }

  @Override
  public void begin(Desk desk) {}

  @Override
  public Stream<Row<Desk>> rows() {
    return Stream.concat(refused(), booted());
  }

  private static Drhd unit(long base, boolean includeAll, DeviceScope... scopes) {
    return new Drhd(0, base, 0, includeAll, List.of(scopes));
  }

  private static DeviceScope endpoint(String sbdf) {
    return DeviceScope.of(DeviceScope.Type.PCI_ENDPOINT, Sbdf.parse(sbdf));
  }

  private static Stream<Row<Desk>> refused() {
    return Stream.of(
        row(
            "B132 a wrong checksum",
            desk -> {
              byte[] table = desk.table(unit(UNIT_A, true));
              table[CHECKSUM]++;
              desk.refuses(table, "checksum");
            }),
        row(
            "B133 a structure of no length",
            desk -> {
              byte[] table = desk.table(unit(UNIT_A, true));
              table[CHECKSUM] += table[HEADER + 2];
              table[HEADER + 2] = 0;
              desk.refuses(table, "length");
            }),
        row(
            "B134 two units for all the rest of a segment, though not of two",
            desk -> {
              desk.refuses(desk.table(unit(UNIT_A, true), unit(UNIT_B, true)), "INCLUDE_PCI_ALL");
              Drhd other = new Drhd(1, UNIT_B, 0, true, List.of());
              try (AssignmentHost h =
                  desk.boot(desk.table(unit(UNIT_A, true), other), Optional.empty())) {
                assertThat(h.items("/v1/iommus")).hasSize(2);
              }
            }),
        row(
            "B139 a reserved region upside down, or over another",
            desk -> {
              Drhd all = unit(UNIT_A, true);
              DeviceScope usb = endpoint("00:14.0");
              desk.refuses(
                  desk.table(all, new Rmrr(0, 0x7b00_2000L, 0x7b00_0fffL, List.of(usb))), "limit");
              desk.refuses(
                  desk.table(
                      all,
                      new Rmrr(0, 0x7b00_0000L, 0x7b00_1fffL, List.of(usb)),
                      new Rmrr(0, 0x7b00_1000L, 0x7b00_2fffL, List.of(usb))),
                  "overlap");
            }),
        row("B140 a unit of all ones", desk -> desk.refuses(desk.table(unit(-1L, true)), "base")));
  }

  private static Stream<Row<Desk>> booted() {
    return Stream.of(
        row(
            "B131 the R820: bridges with what is below them, and all the rest",
            desk -> {
              Path machine = sharedPlatform("dell-r820");
              try (AssignmentHost h =
                  AssignmentHost.on(
                      PlatformSource.firmware(
                          machine.resolve("dmar.bin"),
                          Optional.of(machine.resolve("lspci.txt"))))) {
                assertThat(h.items("/v1/iommus")).hasSize(4);
                assertThat(baseOf(h, "0000:40:02.0")).isEqualTo("0xcf000000");
                HotplugAcceptanceTest.plugged(h, "0000:42:00.0", "pcie-endpoint", "0x020000", "");
                HotplugAcceptanceTest.known(h, "0000:42:00.0");
                assertThat(baseOf(h, "0000:42:00.0")).isEqualTo("0xcf000000");
                assertThat(baseOf(h, "0000:80:05.0")).isEqualTo("0xc8000000");
                assertThat(baseOf(h, "0000:00:1a.0")).isEqualTo("0xdf100000");
                assertThat(h.items("/v1/devices?limit=10000"))
                    .filteredOn(device -> device.get("sbdf").asText().startsWith("0000:3f:"))
                    .hasSizeGreaterThan(30)
                    .extracting(device -> baseOf(h, device.get("sbdf").asText()))
                    .containsOnly("0xdf100000");
              }
            }),
        row(
            "B135 an explicit unit wins, wherever the one for the rest stands",
            desk -> {
              byte[] table =
                  desk.table(
                      unit(UNIT_B, true, endpoint("00:02.0")),
                      unit(UNIT_A, false, endpoint("00:1d.0")));
              try (AssignmentHost h = desk.boot(table, Optional.empty())) {
                assertThat(baseOf(h, "0000:00:1d.0")).isEqualTo("0xfed90000");
                assertThat(baseOf(h, "0000:00:02.0")).isEqualTo("0xfed91000");
              }
            }),
        row(
            "B136 a path of two steps follows the bridge to whatever bus it has now",
            desk -> {
              DeviceScope twoSteps =
                  new DeviceScope(
                      DeviceScope.Type.PCI_ENDPOINT,
                      0,
                      0,
                      0,
                      List.of(new DeviceScope.Step(0x1c, 0), new DeviceScope.Step(0, 0)));
              byte[] table = desk.table(unit(UNIT_A, false, twoSteps), unit(UNIT_B, true));
              for (int bus : new int[] {5, 9}) {
                try (AssignmentHost h = desk.boot(table, Optional.of(bridgeTo(bus)))) {
                  assertThat(baseOf(h, "0000:%02x:00.0".formatted(bus))).isEqualTo("0xfed90000");
                }
              }
            }),
        row(
            "B137 a virtual function is where its physical function is, whatever its bus",
            desk -> {
              byte[] table =
                  desk.table(unit(UNIT_A, false, endpoint("03:00.0")), unit(UNIT_B, true));
              try (AssignmentHost h = desk.boot(table, Optional.of(CARD))) {
                assertThat(h.device("0000:04:00.1").get("physicalFunction").asText())
                    .isEqualTo("0000:03:00.0");
                assertThat(baseOf(h, "0000:04:00.1")).isEqualTo("0xfed90000");
                int guest = h.guest();
                h.given(guest, "0000:04:00.1");
                assertThat(h.outcome("0000:04:00.1", 0)).isEqualTo("done");
              }
            }),
        row(
            "B138 a device outside all scopes is behind no unit, and given to nobody",
            desk -> {
              byte[] table = desk.table(unit(UNIT_A, false, endpoint("03:00.0")));
              try (AssignmentHost h = desk.boot(table, Optional.of(CARD + OUTSIDE))) {
                assertThat(h.device("0000:07:00.0").get("iommu").isNull()).isTrue();
                int guest = h.guest();
                h.refuses(ENODEV, () -> h.assign(guest, "0000:07:00.0"));
                h.given(guest, "0000:03:00.0");
              }
            }));
  }

  private static final String CARD =
      """
      03:00.0 Ethernet controller [0200]: Intel Corporation X710 [8086:1572]
      \tControl: I/O- Mem+ BusMaster+ SpecCycle-
      \tCapabilities: [a0] Express (v2) Endpoint, MSI 00
      \tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)
      \t\tIOVCtl:\tEnable- Migration- Interrupt- MSE- ARIHierarchy+
      \t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 0, Function Dependency Link: 00
      \t\tVF offset: 257, stride: 1, Device ID: 154c

      """;

  private static final String OUTSIDE =
      """
      07:00.0 Ethernet controller [0200]: Intel Corporation I210 [8086:1533]
      \tControl: I/O- Mem+ BusMaster+ SpecCycle-
      \tCapabilities: [a0] Express (v2) Endpoint, MSI 00

      """;

  private static String bridgeTo(int bus) {
    return """
    00:1c.0 PCI bridge [0604]: Intel Corporation Root Port [8086:8d10]
    \tControl: I/O+ Mem+ BusMaster+ SpecCycle-
    \tBus: primary=00, secondary=%1$02x, subordinate=%1$02x, sec-latency=0
    \tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00

    %1$02x:00.0 Ethernet controller [0200]: Intel Corporation I210 [8086:1533]
    \tControl: I/O- Mem+ BusMaster+ SpecCycle-
    \tCapabilities: [a0] Express (v2) Endpoint, MSI 00
    """
        .formatted(bus);
  }

  /** The registers of the unit that a device is behind. */
  private static String baseOf(AssignmentHost h, String sbdf) {
    int unit = h.device(sbdf).get("iommu").asInt();
    return h.daemon().get("/v1/iommus/" + unit).at("/base");
  }

  private static Path sharedPlatform(String name) {
    Optional<Path> found =
        Stream.of("../../shared/platforms", "../shared/platforms")
            .map(Path::of)
            .filter(Files::isDirectory)
            .findFirst();
    assumeTrue(found.isPresent(), "the tables of real machines are not here");
    return found.orElseThrow().resolve(name);
  }
}
