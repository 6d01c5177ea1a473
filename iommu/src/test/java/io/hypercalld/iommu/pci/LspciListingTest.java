package io.hypercalld.iommu.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.pci.PciFunction.Feature;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LspciListingTest {
  private static final String NIC =
      """
      03:00.0 Ethernet controller [0200]: Intel Corporation Ethernet Controller X710 for 10GbE SFP+ [8086:1572] (rev 02)
      \tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV-
      \tCapabilities: [70] MSI-X: Enable+ Count=129 Masked-
      \tCapabilities: [a0] Express (v2) Endpoint, MSI 00
      \t\tDevCap:\tMaxPayload 2048 bytes, PhantFunc 0, Latency L0s <512ns, L1 <64us
      \tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)
      \t\tIOVCap:\tMigration-, Interrupt Message Number: 000
      \t\tIOVCtl:\tEnable- Migration- Interrupt- MSE- ARIHierarchy+
      \t\tInitial VFs: 64, Total VFs: 64, Number of VFs: 0, Function Dependency Link: 00
      \t\tVF offset: 16, stride: 1, Device ID: 154c
      """;

  private static PciFunction only(String text) {
    List<PciFunction> functions = LspciListing.parse(text);
    assertThat(functions).hasSize(1);
    return functions.getFirst();
  }

  @Test
  void parse_verboseListing_findsEverything() {
    assertThat(only(NIC))
        .isEqualTo(
            PciFunction.of(
                    Sbdf.parse("03:00.0"),
                    new PciIdentity(
                        0x8086,
                        0x1572,
                        0x02_0000,
                        "Intel Corporation Ethernet Controller X710 for 10GbE SFP+"),
                    PciKind.PCIE_ENDPOINT)
                .with(Feature.MSI_X, true)
                .withSriov(new SriovCapability(64, 0, 16, 1, 0x154c)));
  }

  @Test
  void parse_enabledVirtualFunctions_areLinkedToTheirPhysicalFunction() {
    String text =
        NIC.replace("Enable- Migration", "Enable+ Migration").replace("of VFs: 0", "of VFs: 2")
            + "03:02.0 Ethernet controller [0200]: Intel Corporation VF [8086:154c]\n"
            + "03:02.1 Ethernet controller [0200]: Intel Corporation VF [8086:154c]\n";

    List<PciFunction> functions = LspciListing.parse(text);

    assertThat(functions).hasSize(3);
    assertThat(functions.get(0).numVfs()).isEqualTo(2);
    assertThat(functions.get(2).physicalFunction()).contains(Sbdf.parse("03:00.0"));
  }

  @ParameterizedTest
  @CsvSource({
    "'0604', 'Express (v2) Root Port (Slot+), MSI 00', PCIE_BRIDGE",
    "'0604', 'Express (v2) Upstream Port, IntMsgNum 0', PCIE_BRIDGE",
    "'0604', 'Express (v1) PCI-Express to PCI/PCI-X Bridge, MSI 00', PCIE_TO_PCI_BRIDGE",
    "'0604', 'Express (v1) PCI/PCI-X to PCI-Express Bridge, MSI 00', PCI_TO_PCIE_BRIDGE",
    "'0604', 'Power Management version 3', LEGACY_PCI_BRIDGE",
    "'0600', 'Express (v2) Root Port (Slot-), MSI 00', HOST_BRIDGE",
    "'0200', 'Express (v1) Legacy Endpoint, MSI 00', PCIE_ENDPOINT",
    "'0200', 'MSI: Enable+ Count=1/1 Maskable- 64bit+', PCI",
    "'0200', '<access denied>', PCIE_ENDPOINT",
    "'ffff', 'Express (v1) Endpoint', UNKNOWN",
  })
  void parse_classAndCapability_makeTheKind(String classCode, String capability, PciKind kind) {
    String text =
        """
        00:1c.0 Thing [%s]: Vendor Device [8086:a110] (rev f1)
        \tControl: I/O+ Mem+ BusMaster-
        \tBus: primary=00, secondary=02, subordinate=03, sec-latency=0
        \tCapabilities: [40] %s
        """
            .formatted(classCode, capability.replace("[40] <", "<"));

    PciFunction function = only(text);

    assertThat(function.kind()).isEqualTo(kind);
    assertThat(function.busMaster()).isFalse();
    assertThat(function.buses())
        .isEqualTo(kind.isBridge() ? Optional.of(new BusRange(2, 3)) : Optional.empty());
  }

  @Test
  void parse_minimalListing_takesFunctionsForPciExpress() {
    List<PciFunction> functions =
        LspciListing.parse(
            """
            0000:00:01.0 PCI bridge [0604]: Intel Corporation 6th-10th Gen Core Processor PCIe Controller (x16) [8086:1901] (rev 05)
            0001:01:00.0 0108: 144d:a808 (rev 02) (prog-if 02 [NVM Express])
            """);

    assertThat(functions)
        .map(PciFunction::kind)
        .containsExactly(PciKind.PCIE_BRIDGE, PciKind.PCIE_ENDPOINT);
    assertThat(functions.get(1).sbdf()).isEqualTo(new Sbdf(1, 1, 0, 0));
    assertThat(functions.get(1).identity())
        .isEqualTo(new PciIdentity(0x144d, 0xa808, 0x01_0802, ""));
    assertThat(functions.get(0).buses()).isEmpty();
  }

  @Test
  void parse_nameThatLspciCutOff_hasNoIdsButAClass() {
    PciFunction function =
        only("3f:0f.2 System peripheral [0880]: Intel Address Decoder Registers [808... (rev 04)");

    assertThat(function.identity())
        .isEqualTo(new PciIdentity(0xffff, 0xffff, 0x08_8000, "Intel Address Decoder Registers"));
  }

  @Test
  void parse_functionsOfAVolumeManagementDevice_areLeftOut() {
    String text =
        """
        10000:e0:06.0 PCI bridge [0604]: Intel Corporation Device [8086:a77f]
        \tBus: nonsense that is not looked at
        00:02.0 VGA compatible controller [0300]: Intel Corporation Device [8086:a780]
        """;

    assertThat(only(text).sbdf()).isEqualTo(Sbdf.parse("00:02.0"));
  }

  @Test
  void parse_phantomFunctions_giveTheStride() {
    assertThat(only(NIC.replace("PhantFunc 0", "PhantFunc 1")).phantomStride()).isEqualTo(4);
    assertThat(only(NIC.replace("PhantFunc 0", "PhantFunc 7")).phantomStride()).isEqualTo(1);
  }

  @Test
  void parse_dumpOfAnEndpoint_findsEverything() {
    String text =
        new HexDump(4096)
            .classCode(0x02_0000)
            .u16(0x04, 0x0006)
            .capability(0x10, 0x0002)
            .u8(0x41, 0x50)
            .u8(0x50, 0x11)
            .u32(0x100, 0x1401_0001)
            .u32(0x140, 0x0001_0010)
            .u16(0x14e, 64)
            .u16(0x154, 16)
            .u16(0x156, 1)
            .u16(0x15a, 0x154c)
            .listing("03:00.0 Ethernet controller: Intel Corporation Ethernet Controller X710");

    assertThat(only(text))
        .isEqualTo(
            PciFunction.of(
                    Sbdf.parse("03:00.0"),
                    new PciIdentity(
                        0x8086, 0x1572, 0x02_0000, "Intel Corporation Ethernet Controller X710"),
                    PciKind.PCIE_ENDPOINT)
                .with(Feature.MSI_X, true)
                .withSriov(new SriovCapability(64, 0, 16, 1, 0x154c)));
  }

  @Test
  void parse_dumpOfABridge_findsItsBuses() {
    String text =
        new HexDump(256)
            .classCode(0x06_0400)
            .u8(0x0e, 0x81)
            .u8(0x19, 4)
            .u8(0x1a, 7)
            .capability(0x10, 0x0072)
            .listing("02:00.0 PCI bridge: Somebody");

    PciFunction bridge = only(text);

    assertThat(bridge.kind()).isEqualTo(PciKind.PCIE_TO_PCI_BRIDGE);
    assertThat(bridge.buses()).contains(new BusRange(4, 7));
    assertThat(bridge.busMaster()).isFalse();
  }

  @Test
  void parse_dumpWithoutCapabilities_isConventional() {
    String text = new HexDump(64).classCode(0x0c_0310).listing("02:00.0 USB controller: Somebody");

    assertThat(only(text).kind()).isEqualTo(PciKind.PCI);
  }

  @Test
  void parse_capabilityListsThatGoRound_end() {
    String text =
        new HexDump(4096)
            .classCode(0x02_0000)
            .capability(0x05, 0)
            .u8(0x41, 0x40)
            .u32(0x100, 0x1001_0001)
            .listing("03:00.0 Ethernet controller: Somebody");

    assertThat(only(text).kind()).isEqualTo(PciKind.PCI);
  }

  @Test
  void parse_dumpOfAVirtualFunction_takesTheIdsFromTheText() {
    String text =
        new HexDump(64)
            .u32(0, -1)
            .classCode(0x02_0000)
            .listing("03:02.0 Ethernet controller [0200]: Intel VF [8086:154c]");

    assertThat(only(text).identity().deviceId()).isEqualTo(0x154c);
  }

  @Test
  void parse_windowsLineEndsAndToolMessages_doNotMatter() {
    String text = "pcilib: sysfs_read_vpd: read failed: No such device\n" + NIC;

    assertThat(LspciListing.parse(text.replace("\n", "\r\n"))).isEqualTo(LspciListing.parse(NIC));
  }

  @Test
  void parse_unplaceableVirtualFunctions_meanNone() {
    assertThat(only(NIC.replace("offset: 16", "offset: 0")).sriov()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | line 1: the listing names no PCI function",
        "'\n\n' | line 2: the listing names no PCI function",
        "'hello\n' | line 1: not a line of lspci: hello",
        "'-[0000:00]-+-00.0' | line 1: not a line of lspci: -[0000:00]-+-00.0",
        "'\tControl: x' | line 1: not a line of lspci: ?Control: x",
        "'00:00.0 x' | line 1: no class and vendor:device follow",
        "'00:00.0 Host bridge: Intel' | line 1: 0000:00:00.0 is listed without numbers",
        "'00:00.0 0600: 8086:1234\n"
            + "00:00.0 0600: 8086:1234' | line 2: 0000:00:00.0 is listed already",
        "'00:00.0 0600: 8086:1234\nfoo' | line 2: not a line of lspci: foo",
        "'00:00.0 0600: 8086:1234\n00: 86 80' | line 2: a line of the dump has 2 bytes",
        "'00:00.0 0600: 8086:1234\n10: 86 80' | line 2: the dump goes on at 0x10 instead of 0x0",
        "'00:1c.0 0604: 8086:1234\n\tControl: I/O+' | line 1: bridge 0000:00:1c.0 has no Bus line",
        "'00:1c.0 0604: 8086:1234\n\tBus: primary=00, sec' | line 2: the Bus line does not name",
        "'05:00.0 0604: 8086:1\n' | line 1: 0000:05:00.0 is listed without numbers",
      })
  void parse_foreignText_isRefusedNamingTheLine(String text, String message) {
    assertThatThrownBy(() -> LspciListing.parse(text))
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void parse_busesAboveTheBridge_areRefused() {
    String text =
        """
        05:00.0 PCI bridge [0604]: Somebody [8086:1234]
        \tControl: I/O+
        \tBus: primary=05, secondary=05, subordinate=06, sec-latency=0
        """;

    assertThatThrownBy(() -> LspciListing.parse(text))
        .hasMessage("line 1: bridge 0000:05:00.0 cannot have buses 05 to 06 below it");
  }

  @Test
  void parse_dumpThatStopsShort_isRefused() {
    String text = new HexDump(256).listing("03:00.0 Ethernet controller: Somebody");
    String cut = text.lines().limit(10).reduce("", (all, line) -> all + line + "\n");

    assertThatThrownBy(() -> LspciListing.parse(cut))
        .hasMessage("line 10: the dump ends after 0x90 bytes, which is too soon");
  }

  @Test
  void madeAvailable_physicalFunctionWithoutVirtualFunctions_enablesAll() {
    List<PciFunction> functions = VirtualFunctions.madeAvailable(LspciListing.parse(NIC));

    assertThat(functions.getFirst().numVfs()).isEqualTo(64);
    assertThat(new PciTopology(functions).all()).hasSize(65);
  }

  @Test
  void madeAvailable_addressTaken_enablesNone() {
    List<PciFunction> functions =
        VirtualFunctions.madeAvailable(
            LspciListing.parse(NIC + "03:02.5 Thing [0200]: Somebody [8086:1234]\n"));

    assertThat(functions).allMatch(function -> function.numVfs() == 0);
  }

  @Test
  void parse_flagsOfACapability_areNotTheFunctions() {
    PciFunction function =
        only(
            """
            02:00.0 RAID bus controller [0104]: Vendor Device [1000:005b] (rev 05)
            \tControl: I/O+ Mem+ BusMaster+ SpecCycle-
            \tCapabilities: [50] Power Management version 3
            \t\tFlags: PMEClk- DSI- D1+ D2+ AuxCurrent=0mA
            """);

    assertThat(function.busMaster()).isTrue();
  }
}
