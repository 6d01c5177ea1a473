package io.hypercalld.api.platform;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.acpi.UnitScopes;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.platform.PlatformUnit;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.Capabilities;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The machine that everybody meets first. */
class TwoSocketTest {
  private final Platform platform = PlatformSource.named("two-socket").load().platform();
  private final PciTopology topology = platform.topology();
  private final UnitScopes scopes = platform.unitScopes(topology);

  @Test
  void units_domainIds_areFewOnTwoAndManyOnTwo() {
    assertThat(platform.units())
        .map(unit -> unit.capabilities().domainIds())
        .containsExactly(256, 256, 65536, 65536);
  }

  @Test
  void units_capabilities_areThoseThatAreSimulated() {
    for (PlatformUnit unit : platform.units()) {
      Capabilities capabilities = unit.capabilities();
      assertThat(capabilities.supports(AddressWidth.BITS_39)).isTrue();
      assertThat(capabilities.supports(AddressWidth.BITS_48)).isTrue();
      assertThat(capabilities.supports(PageSize.SIZE_2M)).isTrue();
      assertThat(capabilities.supports(PageSize.SIZE_1G)).isTrue();
      assertThat(capabilities.maximumGuestAddressWidth()).isEqualTo(48);
      assertThat(capabilities.maximumAddressMask()).isEqualTo(18);
      assertThat(capabilities.faultRecords()).isEqualTo(8);
      assertThat(capabilities.faultRecordOffset(0)).isEqualTo(0x100);
      assertThat(capabilities.invalidateAddressOffset()).isEqualTo(0x200);
      assertThat(capabilities.cachingMode()).isFalse();
      assertThat(capabilities.zeroLengthReads()).isTrue();
      assertThat(capabilities.pageSelectiveInvalidation()).isTrue();
      assertThat(capabilities.passThrough()).isTrue();
      assertThat(capabilities.snoopControl()).isTrue();
      assertThat(capabilities.coherentWalks()).isTrue();
      assertThat(capabilities.queuedInvalidation()).isTrue();
      assertThat(capabilities.deviceTlbs()).isFalse();
      assertThat(capabilities.interruptRemapping()).isTrue();
      assertThat(capabilities.postedInterrupts()).isTrue();
      assertThat(capabilities.scalableMode()).isFalse();
    }
  }

  @Test
  void virtualFunctions_allCards_are512OnTwoUnits() {
    List<PciFunction> virtual = topology.all().stream().filter(PciFunction::isVirtual).toList();

    assertThat(virtual).hasSize(512);
    assertThat(virtual.stream().filter(vf -> scopes.unitOf(vf.sbdf()).getAsInt() == 0))
        .hasSize(256);
    assertThat(virtual.stream().filter(vf -> scopes.unitOf(vf.sbdf()).getAsInt() == 1))
        .hasSize(256);
    assertThat(topology.virtualFunctions(Sbdf.parse("03:00.0")))
        .map(vf -> vf.sbdf().toString())
        .startsWith("0000:03:10.0")
        .endsWith("0000:03:1f.7");
  }

  @ParameterizedTest
  @CsvSource({
    "00:01.0, 0", "03:00.0, 0", "03:10.0, 0", "04:00.0, 0", "80:01.0, 1", "83:1f.7, 1",
    "84:00.0, 1", "41:00.0, 2", "42:00.0, 2", "40:01.0, 2", "00:00.0, 3", "00:14.0, 3",
    "02:04.0, 3", "00:1f.2, 3", "06:00.0, 3", "80:05.0, 3"
  })
  void unitOf_device_isAsDesigned(String sbdf, int unit) {
    assertThat(topology.find(Sbdf.parse(sbdf))).isPresent();
    assertThat(scopes.unitOf(Sbdf.parse(sbdf))).hasValue(unit);
  }

  @Test
  void unitOf_everyFunction_isSome() {
    assertThat(topology.all()).allMatch(function -> scopes.unitOf(function.sbdf()).isPresent());
  }

  @Test
  void requesterIds_conventionalDevice_areThree() {
    assertThat(topology.require(Sbdf.parse("02:04.0")).kind()).isEqualTo(PciKind.PCI);
    assertThat(topology.requesterIds(Sbdf.parse("02:04.0")))
        .map(SourceId::toString)
        .containsExactly("02:04.0", "01:00.0", "02:00.0");
  }

  @Test
  void reservedRegion_usbController_hasOneToItself() {
    assertThat(platform.reservedRegionsOf(Sbdf.parse("00:14.0"))).hasSize(1);
    assertThat(platform.reservedRegions().getFirst().devices()).hasSize(1);
  }

  @Test
  void memory_default_is64GibWithOneForDom0() {
    assertThat(platform.memory().bytes()).isEqualTo(64L << 30);
    assertThat(platform.memory().dom0Bytes()).isEqualTo(1L << 30);
    assertThat(platform.withMemory(16L << 40).memoryMap().ramBytes()).isEqualTo(16L << 40);
    assertThat(platform.withMemory(2L << 30).memoryMap().ramBytes()).isEqualTo(2L << 30);
  }
}
