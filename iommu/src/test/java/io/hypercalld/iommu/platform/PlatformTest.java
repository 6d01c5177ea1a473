package io.hypercalld.iommu.platform;

import static io.hypercalld.iommu.platform.Machines.CAPABILITIES;
import static io.hypercalld.iommu.platform.Machines.GIB;
import static io.hypercalld.iommu.platform.Machines.MEMORY;
import static io.hypercalld.iommu.platform.Machines.bridge;
import static io.hypercalld.iommu.platform.Machines.covering;
import static io.hypercalld.iommu.platform.Machines.endpoint;
import static io.hypercalld.iommu.platform.Machines.includeAll;
import static io.hypercalld.iommu.platform.Machines.platform;
import static io.hypercalld.iommu.platform.Machines.unit;
import static io.hypercalld.iommu.platform.Machines.withRegions;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SriovCapability;
import io.hypercalld.iommu.vtd.Capabilities;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
  private static final PciFunction DEVICE = endpoint("00:14.0");
  private static final PciFunction NIC =
      endpoint("03:00.0").withSriov(new SriovCapability(64, 2, 0x80, 1, 0x154c));

  private static Sbdf at(String text) {
    return Sbdf.parse(text);
  }

  private static DeviceScope scope(DeviceScope.Type type, String sbdf) {
    return DeviceScope.of(type, at(sbdf));
  }

  @Test
  void memoryMap_platform_hasHolesAndReservedRegions() {
    Platform platform =
        withRegions(new ReservedRegion(0x7b80_0000L, 0x7bff_ffffL, List.of(at("00:14.0"))));

    assertThat(platform.memoryMap().lowTop()).isEqualTo(2 * GIB);
    assertThat(platform.memoryMap().highTop()).isEqualTo(18 * GIB);
    assertThat(platform.memoryMap().reserved())
        .anyMatch(region -> region.start() == 0x7b80_0000L && region.end() == 0x7c00_0000L);
    assertThat(platform.reservedRegionsOf(at("00:14.0"))).hasSize(1);
    assertThat(platform.reservedRegions().getFirst().pages()).isEqualTo(0x800);
  }

  @Test
  void unitOf_includeAllFirst_stillLosesToAnExplicitUnit() {
    Platform platform =
        platform(
            List.of(
                unit(includeAll(0xfed9_0000L)),
                unit(covering(0xfed9_1000L, scope(DeviceScope.Type.PCI_BRIDGE, "00:01.0")))),
            List.of(bridge("00:01.0", 3, 4), NIC, DEVICE));
    PciTopology topology = platform.topology();

    assertThat(platform.unitScopes(topology).unitOf(at("00:01.0"))).hasValue(1);
    assertThat(platform.unitScopes(topology).unitOf(at("03:00.0"))).hasValue(1);
    assertThat(platform.unitScopes(topology).unitOf(at("04:1f.7"))).hasValue(1);
    assertThat(platform.unitScopes(topology).unitOf(at("00:14.0"))).hasValue(0);
  }

  @Test
  void unitOf_virtualFunctionOnABusOfNobody_isItsPhysicalFunctionsUnit() {
    PciFunction physical =
        endpoint("03:00.1").withSriov(new SriovCapability(1, 1, 0x100, 1, 0x154c));
    Platform platform =
        platform(
            List.of(unit(covering(0xfed9_1000L, scope(DeviceScope.Type.PCI_ENDPOINT, "03:00.1")))),
            List.of(physical, endpoint("04:00.0")));

    assertThat(platform.unitScopes(platform.topology()).unitOf(at("04:00.1"))).hasValue(0);
    assertThat(platform.unitScopes(platform.topology()).unitOf(at("04:00.0"))).isEmpty();
  }

  @Test
  void unitOf_pathThroughBridges_followsTheBusesOfToday() {
    DeviceScope path =
        new DeviceScope(
            DeviceScope.Type.PCI_ENDPOINT,
            0,
            0,
            0,
            List.of(new DeviceScope.Step(0x1c, 7), new DeviceScope.Step(0, 2)));
    Platform platform =
        platform(
            List.of(unit(covering(0xfed9_1000L, path))),
            List.of(bridge("00:1c.7", 5, 5), endpoint("05:00.2")));
    PciTopology topology = platform.topology();
    assertThat(platform.unitScopes(topology).unitOf(at("05:00.2"))).hasValue(0);

    topology.remove(at("00:1c.7"));
    topology.add(bridge("00:1c.7", 9, 9));

    assertThat(platform.unitScopes(topology).unitOf(at("05:00.2"))).isEmpty();
    assertThat(platform.unitScopes(topology).unitOf(at("09:00.2"))).hasValue(0);
  }

  @Test
  void unitOf_otherSegment_isAnotherMatter() {
    Platform platform = platform(DEVICE);

    assertThat(platform.unitScopes(platform.topology()).unitOf(at("0001:00:14.0"))).isEmpty();
  }

  @Test
  void unitOf_interruptScopes_claimNoFunction() {
    Platform platform =
        platform(
            List.of(
                unit(covering(0xfed9_1000L, scope(DeviceScope.Type.MSI_HPET, "00:14.0"))),
                unit(includeAll(0xfed9_0000L))),
            List.of(DEVICE));

    assertThat(platform.unitScopes(platform.topology()).unitOf(at("00:14.0"))).hasValue(1);
  }

  @Test
  void withMemory_anotherAmount_isCheckedAgain() {
    Platform platform =
        withRegions(new ReservedRegion(0x7b80_0000L, 0x7bff_ffffL, List.of(at("00:14.0"))));

    assertThat(platform.withMemory(8 * GIB).memoryMap().ramBytes()).isEqualTo(8 * GIB);
    assertRefused(() -> platform.withMemory(GIB), "memory: 1073741824 bytes leave nothing beside");
    assertRefused(() -> platform.withMemory(0x7000_0000L), "reserved region 0x7b800000-0x7bffffff");
    assertRefused(() -> platform.withMemory(GIB + 1), "memory: 1073741825 bytes are not a number");
    assertRefused(() -> platform.withMemory(-4096), "memory: -4096 bytes are not a number");
    assertRefused(() -> platform.withMemory(32L << 40), "memory: 35184372088832 bytes reach");
  }

  @ParameterizedTest
  @CsvSource({
    "0xffffffffffffffff, 0x20c3, capabilities of all ones",
    "0x00d2078c106f0462, 0xffffffffffffffff, capabilities of all ones",
    "0x00d2078c106fe462, 0x20c3, reserved bits are set",
    "0x00d2078c106f0467, 0x20c3, cap 0xd2078c106f0467 has the reserved number of domains",
    "0x00d2078c106f0062, 0x20c3, cap 0xd2078c106f0062 supports neither 39-bit nor 48-bit tables",
    "0x00d2078f906f0462, 0x20c3, fault records at 0x",
    "0x00d2078c0e6f0462, 0x20c3, fault records at 0xe0 to 0x160",
    "0x00d2078c106f0462, 0x0010c3, fault records at 0x100 and invalidation",
    "0x00d2078c106f0462, 0x0ec3, invalidation registers at 0xe0",
    "0x00d2078c106f0462, 0x20c9, 'remapping IR needs QI, which the unit lacks'",
    "0x00d2078c106f0462, 0x20d3, 'EIM needs IR, which the unit lacks'",
    "0x00c9078c106f0462, 0x20c3, 'invalidating a page of 1073741824 bytes needs an address mask of"
        + " 18'",
  })
  void platform_impossibleCapabilities_areRefused(String cap, String ecap, String why) {
    Capabilities capabilities =
        new Capabilities(
            Long.parseUnsignedLong(cap.substring(2), 16),
            Long.parseUnsignedLong(ecap.substring(2), 16));
    PlatformUnit unit = new PlatformUnit(includeAll(0xfed9_0000L), capabilities);

    assertRefused(() -> platform(List.of(unit), List.of(DEVICE)), "unit 0: " + why);
  }

  @Test
  void platform_unitsThatContradict_areRefused() {
    assertRefused(
        () ->
            platform(
                List.of(unit(includeAll(0xfed9_0000L)), unit(includeAll(0xfed9_1000L))),
                List.of(DEVICE)),
        "unit 1: a second unit covers all the rest of segment 0");
    assertRefused(
        () ->
            platform(
                List.of(
                    unit(new Drhd(0, 0xfed9_0000L, 4, true, List.of())),
                    unit(covering(0xfed9_1000L))),
                List.of(DEVICE)),
        "unit 1: the registers at 0xfed91000 overlap those at 0xfed90000 of unit 0");
    assertRefused(
        () -> platform(List.of(unit(includeAll(0x7000_0000L))), List.of(DEVICE)),
        "unit at 0x70000000: the register window lies in RAM");
    assertRefused(
        () -> platform(List.of(unit(includeAll(5 * GIB))), List.of(DEVICE)),
        "unit at 0x140000000: the register window lies in RAM");
    assertRefused(
        () -> platform(List.of(unit(includeAll(0xfee0_0000L))), List.of(DEVICE)),
        "unit at 0xfee00000: the register window lies where interrupts are addressed");
    assertRefused(
        () -> platform(List.of(unit(includeAll(0xfed9_0010L))), List.of(DEVICE)),
        "unit at 0xfed90010: a register window begins on a page");
    assertRefused(
        () -> platform(List.of(unit(includeAll(1L << 46))), List.of(DEVICE)),
        "unit at 0x400000000000: the register window lies beyond 46 address bits");
  }

  @Test
  void platform_regionsThatContradict_areRefused() {
    Sbdf device = DEVICE.sbdf();
    assertRefused(
        () -> withRegions(new ReservedRegion(0x7b80_0000L, 0x7bff_f000L, List.of(device))),
        "reserved region 0x7b800000-0x7bfff000: base and limit are not");
    assertRefused(
        () -> withRegions(new ReservedRegion(0x7c00_0000L, 0x7bff_ffffL, List.of(device))),
        "reserved region 0x7c000000-0x7bffffff: the base is above the limit");
    assertRefused(
        () -> withRegions(new ReservedRegion(0x7fff_f000L, 0x8000_0fffL, List.of(device))),
        "reserved region 0x7ffff000-0x80000fff: the region does not lie in RAM");
    assertRefused(
        () -> withRegions(new ReservedRegion(0x7b80_0000L, 0x7bff_ffffL, List.of(at("00:15.0")))),
        "reserved region 0x7b800000-0x7bffffff: device 0000:00:15.0 does not exist");
    assertRefused(
        () ->
            withRegions(
                new ReservedRegion(0x7b80_0000L, 0x7bff_ffffL, List.of(device)),
                new ReservedRegion(0x7bff_f000L, 0x7c00_0fffL, List.of(device))),
        "reserved region 0x7bfff000-0x7c000fff: the region overlaps");
  }

  @Test
  void platform_devicesThatContradict_areRefused() {
    assertRefused(() -> platform(), "devices: there are none");
    assertRefused(
        () -> platform(DEVICE, DEVICE), "device 0000:00:14.0: two devices have this address");
    assertRefused(
        () -> platform(NIC, endpoint("03:10.1")),
        "device 0000:03:00.0: a virtual function would have the address of 0000:03:10.1");
    assertRefused(
        () ->
            platform(
                NIC, endpoint("03:00.1").withSriov(new SriovCapability(1, 1, 0x7f, 1, 0x154c))),
        "device 0000:03:00.1: 0000:03:10.0 would be a virtual function of 0000:03:00.0 too");
    assertRefused(
        () -> platform(NIC, endpoint("03:1f.0").asVirtualFunctionOf(at("03:00.0"))),
        "device 0000:03:1f.0: 0000:03:00.0 does not put a virtual function there");
    assertRefused(
        () -> platform(endpoint("03:00.0").withPhantomStride(4), endpoint("03:00.4")),
        "device 0000:03:00.0: its phantom function has the address of 0000:03:00.4");
    assertRefused(
        () -> platform(bridge("00:01.0", 3, 5), bridge("00:02.0", 5, 6)),
        "device 0000:00:02.0: its buses are also those of the bridge 0000:00:01.0");
  }

  @Test
  void platform_linkedVirtualFunctions_areNoContradiction() {
    Platform platform = platform(NIC, endpoint("03:10.1").asVirtualFunctionOf(at("03:00.0")));

    assertThat(platform.topology().virtualFunctions(at("03:00.0"))).hasSize(2);
  }

  @Test
  void platform_widthThatContradicts_isRefused() {
    assertRefused(
        () ->
            new Platform(
                "test",
                MEMORY,
                34,
                List.of(unit(includeAll(0xfed9_0000L))),
                List.of(DEVICE),
                List.of()),
        "memory: 17179869184 bytes reach up to 0x480000000, beyond the 34 bits");
    assertRefused(
        () ->
            new Platform(
                "test",
                MEMORY,
                64,
                List.of(unit(includeAll(0xfed9_0000L))),
                List.of(DEVICE),
                List.of()),
        "host address width: 64 bits are not between 32 and 52");
    assertThat(CAPABILITIES.faultRecords()).isEqualTo(8);
  }

  private static void assertRefused(ThrowingCallable action, String message) {
    assertThatThrownBy(action)
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }
}
