package io.hypercalld.iommu.pci;

import static io.hypercalld.iommu.pci.Functions.bridge;
import static io.hypercalld.iommu.pci.Functions.conventional;
import static io.hypercalld.iommu.pci.Functions.endpoint;
import static io.hypercalld.iommu.pci.Functions.physical;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciTopologyTest {
  private static PciTopology topology(PciFunction... functions) {
    return new PciTopology(List.of(functions));
  }

  private static Sbdf at(String text) {
    return Sbdf.parse(text);
  }

  @Test
  void virtualFunctions_offset80Stride1_fillDevices10To1f() {
    PciTopology topology = topology(physical("03:00.0", 128, 0x80, 1));

    List<PciFunction> virtual = topology.virtualFunctions(at("03:00.0"));

    assertThat(virtual).hasSize(128);
    assertThat(virtual.getFirst().sbdf()).isEqualTo(at("03:10.0"));
    assertThat(virtual.getLast().sbdf()).isEqualTo(at("03:1f.7"));
    assertThat(virtual).allMatch(vf -> vf.identity().deviceId() == 0x154c);
    assertThat(topology.require(at("03:10.5")).physicalFunction()).contains(at("03:00.0"));
  }

  @Test
  void virtualFunctions_stride2_runOntoTheNextBus() {
    PciTopology topology = topology(physical("03:00.0", 128, 0x80, 2));

    assertThat(topology.virtualFunctions(at("03:00.0")).getLast().sbdf()).isEqualTo(at("04:0f.6"));
  }

  @Test
  void virtualFunction_onABusBelowAnotherBridge_hasNoAlias() {
    PciTopology topology =
        topology(
            physical("03:00.0", 1, 0x100, 1), bridge("02:00.0", PciKind.PCIE_TO_PCI_BRIDGE, 4, 4));

    assertThat(topology.group(at("04:00.0"))).isEqualTo(at("04:00.0"));
    assertThat(topology.requesterIds(at("04:00.0"))).containsExactly(at("04:00.0").sourceId());
  }

  @Test
  void add_virtualFunctionBeforeItsPhysicalFunction_isRefusedAndStaysUnknown() {
    PciTopology topology = topology(endpoint("01:00.0"));

    assertRefused(
        Errno.ENODEV, () -> topology.add(endpoint("03:10.0").asVirtualFunctionOf(at("03:00.0"))));
    assertThat(topology.find(at("03:10.0"))).isEmpty();
  }

  @Test
  void add_takenAddress_isRefused() {
    PciTopology topology = topology(endpoint("01:00.0"));

    assertRefused(Errno.EEXIST, () -> topology.add(endpoint("01:00.0")));
  }

  @Test
  void remove_physicalFunctionWithVirtualFunctions_isRefused() {
    PciTopology topology = topology(physical("03:00.0", 2, 0x80, 1));

    assertRefused(Errno.EBUSY, () -> topology.remove(at("03:00.0")));
    topology.remove(at("03:10.0"));
    topology.remove(at("03:10.1"));
    topology.remove(at("03:00.0"));

    assertThat(topology.all()).isEmpty();
    assertRefused(Errno.ENODEV, () -> topology.remove(at("03:00.0")));
  }

  @Test
  void requesterIds_behindAPcieToPciBridge_areTheDeviceTheBridgeAndTheBus() {
    PciTopology topology =
        topology(
            bridge("00:1c.0", PciKind.PCIE_BRIDGE, 4, 5),
            bridge("04:00.0", PciKind.PCIE_TO_PCI_BRIDGE, 5, 5),
            conventional("05:01.0"),
            conventional("05:00.0"));

    assertThat(topology.requesterIds(at("05:01.0")))
        .map(SourceId::toString)
        .containsExactly("05:01.0", "04:00.0", "05:00.0");
    // The first function of the bus is its own alias.
    assertThat(topology.requesterIds(at("05:00.0")))
        .map(SourceId::toString)
        .containsExactly("05:00.0", "04:00.0");
    assertThat(topology.groupMembers(at("05:00.0")))
        .map(member -> member.sbdf().toString())
        .containsExactly("0000:04:00.0", "0000:05:00.0", "0000:05:01.0");
    assertThat(topology.group(at("05:01.0"))).isEqualTo(at("04:00.0"));
    assertThat(topology.group(at("04:00.0"))).isEqualTo(at("04:00.0"));
  }

  @Test
  void requesterIds_behindNestedConventionalBridges_endAtTheTopmost() {
    PciTopology topology =
        topology(
            bridge("06:00.0", PciKind.LEGACY_PCI_BRIDGE, 7, 7),
            conventional("07:02.0"),
            bridge("05:00.0", PciKind.PCIE_TO_PCI_BRIDGE, 6, 7));

    assertThat(topology.requesterIds(at("07:02.0")))
        .map(SourceId::toString)
        .containsExactly("07:02.0", "05:00.0", "06:00.0");
    assertThat(topology.upstreamBridge(at("07:02.0")).orElseThrow().sbdf())
        .isEqualTo(at("05:00.0"));
  }

  @Test
  void requesterIds_behindALegacyBridge_areTheDeviceAndTheBridge() {
    PciTopology topology =
        topology(bridge("00:1e.0", PciKind.LEGACY_PCI_BRIDGE, 9, 9), conventional("09:02.0"));

    assertThat(topology.requesterIds(at("09:02.0")))
        .map(SourceId::toString)
        .containsExactly("09:02.0", "00:1e.0");
  }

  @Test
  void requesterIds_behindASwitch_areTheDevicesOwn() {
    PciTopology topology =
        topology(bridge("00:1c.0", PciKind.PCIE_BRIDGE, 4, 8), endpoint("06:00.0"));

    assertThat(topology.requesterIds(at("06:00.0"))).containsExactly(at("06:00.0").sourceId());
    assertThat(topology.upstreamBridge(at("06:00.0"))).isEmpty();
  }

  @Test
  void requesterIds_phantomStride_staysInTheSlot() {
    PciTopology topology =
        topology(
            endpoint("06:00.0").withPhantomStride(4),
            endpoint("06:01.1").withPhantomStride(2),
            endpoint("06:02.3").withPhantomStride(2));

    assertThat(topology.requesterIds(at("06:00.0")))
        .map(SourceId::toString)
        .containsExactly("06:00.0", "06:00.4");
    assertThat(topology.requesterIds(at("06:01.1")))
        .map(SourceId::toString)
        .containsExactly("06:01.1", "06:01.3", "06:01.5", "06:01.7");
    assertThat(topology.requesterIds(at("06:02.3")))
        .map(SourceId::toString)
        .containsExactly("06:02.3");
  }

  @Test
  void upstreamBridge_bridgeComesAndGoes_followsIt() {
    PciTopology topology = topology(conventional("09:02.0"));
    PciFunction bridge = bridge("00:1e.0", PciKind.LEGACY_PCI_BRIDGE, 9, 9);

    topology.add(bridge);
    assertThat(topology.upstreamBridge(at("09:02.0"))).contains(bridge);

    topology.remove(bridge.sbdf());
    assertThat(topology.upstreamBridge(at("09:02.0"))).isEmpty();
  }

  @Test
  void upstreamBridge_otherSegment_isNoBridgeOfThisOne() {
    PciTopology topology =
        topology(bridge("0001:00:1e.0", PciKind.LEGACY_PCI_BRIDGE, 9, 9), conventional("09:02.0"));

    assertThat(topology.upstreamBridge(at("09:02.0"))).isEmpty();
  }

  @Test
  void digest_functionAddedAndRemoved_isTheSameAgain() {
    PciTopology topology = topology(endpoint("01:00.0"));
    String before = digest(topology);

    topology.add(endpoint("02:00.0"));
    assertThat(digest(topology)).isNotEqualTo(before);
    topology.remove(at("02:00.0"));

    assertThat(digest(topology)).isEqualTo(before);
  }

  private static String digest(PciTopology topology) {
    return new StateDigest().put(topology).finish();
  }

  private static void assertRefused(Errno errno, Runnable action) {
    assertThatThrownBy(action::run)
        .isInstanceOfSatisfying(
            Refusal.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
  }
}
