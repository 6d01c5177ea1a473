package io.hypercalld.api.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.Quarantine;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformReaderTest {
  private static final String SMALL =
      """
      name: small
      hostAddressWidth: 39
      memory: {size: 4GiB, lowTop: 2GiB, dom0: 512MiB}
      units:
        - base: 0xfed90000
          window: 64KiB
          cap: 0x00d2078c106f0602
          ecap: 0x20c3
          version: 0x50
          habits: {collapsesFaults: true, remembersTables: false}
          includeAll: true
          scopes:
            - ioapic: "f0:1f.7"
              id: 8
      devices:
        - {address: 00:00.0, vendor: 0x8086, device: 0x1237, class: 0x060000}
        - {address: "00:1e.0", vendor: 0x8086, device: 0x244e, class: 0x060401, kind: legacy-pci-bridge, buses: {secondary: 1}}
        - {address: 03:10.0, vendor: 0x8086, device: 0x10fb, class: 0x020000, phantomStride: 4}
      reservedRegions:
        - {base: 0x7b800000, limit: 0x7b8fffff, devices: [03:10.0]}
      """;

  @Test
  void read_policies_areTakenOver_andMistakesNamed() {
    String policies = "policies: {quarantine: scratch-page, flush: deferred, ats: on}\n";

    ChoosePolicies chosen = PlatformReader.read(SMALL + policies).policies();

    assertThat(chosen.quarantine()).contains(Quarantine.Mode.SCRATCH_PAGE);
    assertThat(chosen.flush()).contains(FlushPolicy.DEFERRED);
    assertThat(chosen.ats()).contains(ChoosePolicies.Toggle.ON);
    assertThat(chosen.domainIds()).isEmpty();
    assertThat(PlatformReader.read(SMALL).policies()).isEqualTo(ChoosePolicies.NONE);
    assertThatThrownBy(() -> PlatformReader.read(SMALL + "policies: {flush: lazy}\n"))
        .hasMessageContaining("lazy is none of [per-page, per-call, deferred]");
  }

  @Test
  void read_everyKey_isUnderstood() {
    Platform platform = PlatformReader.read(SMALL).platform();

    assertThat(platform.name()).isEqualTo("small");
    assertThat(platform.hostAddressWidth()).isEqualTo(39);
    assertThat(platform.memory().bytes()).isEqualTo(4L << 30);
    assertThat(platform.memory().dom0Bytes()).isEqualTo(512L << 20);
    assertThat(platform.units().getFirst().windowBytes()).isEqualTo(64L << 10);
    assertThat(platform.units().getFirst().version()).isEqualTo(new UnitVersion(0x50));
    assertThat(platform.units().getFirst().habits())
        .isEqualTo(new Habits(true, true, true, false, false, false, true, true));
    assertThat(
            PlatformReader.read(SMALL.replaceAll("(?m)^ *(version|habits):.*\\n", "")).platform())
        .satisfies(
            plain -> {
              assertThat(plain.units().getFirst().version()).isEqualTo(UnitVersion.V1_0);
              assertThat(plain.units().getFirst().habits()).isEqualTo(Habits.STRICT);
            });
    assertThat(platform.units().getFirst().definition().scopes())
        .containsExactly(
            new DeviceScope(
                DeviceScope.Type.IOAPIC, 0, 8, 0xf0, List.of(new DeviceScope.Step(0x1f, 7))));
    assertThat(platform.functions())
        .map(function -> function.kind())
        .containsExactly(PciKind.HOST_BRIDGE, PciKind.LEGACY_PCI_BRIDGE, PciKind.PCIE_ENDPOINT);
    // To a YAML 1.1 parser this address is the number 190.0.
    assertThat(platform.functions().get(2).sbdf()).hasToString("0000:03:10.0");
    assertThat(platform.reservedRegions()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name: small | nmae: small | 'line 1, the document: unknown key nmae, did you mean name?'",
        "includeAll | includAll | 'line 11, /units/0: unknown key includAll, did you mean"
            + " includeAll?'",
        "includeAll | x | 'line 11, /units/0: unknown key x'",
        "version: 0x50 | version: 0x150 | 'line 9, /units/0/version: 0x150 is not between'",
        "ecap: 0x20c3\\n"
            + "    version: 0x50 | ecap: 0x20c1\\n"
            + "    version: 0x60 | 'unit 0: version 0x60 needs QI, which the unit lacks'",
        "collapsesFaults | collapseFaults | 'line 10, /units/0/habits: unknown key collapseFaults,"
            + " did you mean collapsesFaults?'",
        "kind: legacy-pci-bridge | kind: legacy-bridge | 'line 17, /devices/1/kind: unknown kind"
            + " legacy-bridge, did you mean legacy-pci-bridge?'",
        "name: small | name: small\\nname: small | 'line 2, the document: key name is there twice'",
        "hostAddressWidth: 39 | hostAddressWidth: 39.5 | 'line 2, /hostAddressWidth: 39.5 is not a"
            + " number such as'",
        "hostAddressWidth: 39 | hostAddressWidth: 400 | 'line 2, /hostAddressWidth: 400 is not"
            + " between 0 and 64'",
        "hostAddressWidth: 39 | hostAddressWidth: 60 | 'host address width: 60 bits are not"
            + " between'",
        "hostAddressWidth: 39 | hostAddressWidth: | 'line 2, /hostAddressWidth: a text is due"
            + " here'",
        "hostAddressWidth: 39\\n | '' | 'line 1, the document: key hostAddressWidth is missing'",
        "includeAll: true | includeAll: yes | 'line 11, /units/0/includeAll: yes is neither true"
            + " nor false'",
        "size: 4GiB | size: 4GB | 'line 3, /memory/size: 4GB is not an amount of memory'",
        "size: 4GiB | size: 256MiB | 'memory: 268435456 bytes leave nothing beside the 536870912"
            + " bytes of dom0'",
        "size: 4GiB | size: 1TiB | 'memory: 1099511627776 bytes reach up to'",
        "window: 64KiB | window: 65KiB | 'line 6, /units/0/window: a register window has'",
        "ecap: 0x20c3 | ecap: 0x20c9 | 'unit 0: remapping IR needs QI, which the unit lacks'",
        "ioapic: | endpoint: | 'line 13, /units/0/scopes/0/endpoint: device 0000:f0:1f.7 does not"
            + " exist'",
        "ioapic: \"f0:1f.7\" | bridge: \"03:10.0\" | 'line 13, /units/0/scopes/0/bridge:"
            + " 0000:03:10.0 is no bridge with buses'",
        "ioapic: \"f0:1f.7\" | bridge: \"1:03:10.0\" | 'line 13, /units/0/scopes/0/bridge: the unit"
            + " is in segment 0'",
        "id: 8 | hpet: \"f0:1f.6\" | 'line 13, /units/0/scopes/0: a scope has one of the keys'",
        "address: 00:00.0 | address: 00:00 | 'line 16, /devices/0/address: \"00:00\" is not a PCI"
            + " address'",
        "address: 00:00.0 | address: 03:10.0 | 'device 0000:03:10.0: two devices have this"
            + " address'",
        "vendor: 0x8086, device: 0x1237 | vendor: 0x18086, device: 0x1237 | 'line 16,"
            + " /devices/0/vendor: 0x18086 is not between 0 and 65535'",
        "secondary: 1 | secondary: 0 | 'line 17, /devices/1/buses: no buses 0x00 to 0x00 behind a"
            + " bridge'",
        "phantomStride: 4 | phantomStride: 3 | 'line 18, /devices/2: phantom functions have a"
            + " stride of 1, 2 or 4'",
        "devices: [03:10.0] | devices: [03:10.1] | 'reserved region 0x7b800000-0x7b8fffff: device"
            + " 0000:03:10.1 does not exist'",
        "limit: 0x7b8fffff | limit: 0x7b8ffffe | 'reserved region 0x7b800000-0x7b8ffffe: base and"
            + " limit are not'",
        "devices: [03:10.0] | devices: 03:10.0 | 'line 20, /reservedRegions/0/devices: a list is"
            + " due here'",
        "memory: {size: 4GiB, lowTop: 2GiB, dom0: 512MiB} | memory: 4GiB | 'line 3, /memory: an"
            + " object is due here'",
        "name: small | name: [small | 'line 2: this is not YAML'",
        "name: small | 'name: *x' | 'line 1: this is not YAML'",
        "name: small | 'name: &x [*x]' | 'this is not YAML'",
        "kind: legacy-pci-bridge | kind: \"a\\x0ab\" | 'line 17, /devices/1/kind: unknown kind a"
            + " b'",
        "name: small | <<: {} | 'line 1, the document: unknown key <<'",
      })
  void read_mistake_isRefusedWithPlaceAndReason(String from, String to, String message) {
    String text = SMALL.replace(from.replace("\\n", "\n"), to.replace("\\n", "\n"));
    assertThat(text).isNotEqualTo(SMALL);

    assertThatThrownBy(() -> PlatformReader.read(text))
        .isInstanceOf(MalformedInput.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void read_json_isUnderstoodToo() {
    String json =
        """
        {"name": "json", "hostAddressWidth": 39, "memory": {"lowTop": "2GiB"},
         "units": [{"base": "0xfed90000", "cap": "0x00d2078c106f0602", "ecap": "0x20c3"}],
         "devices": [{"address": "03:00.0", "vendor": "0x8086", "device": 5490, "class": "0x020000"}]}
        """;

    assertThat(PlatformReader.read(json).platform().functions().getFirst().identity().deviceId())
        .isEqualTo(0x1572);
  }

  @ParameterizedTest
  @CsvSource({"''", "'# nothing'", "text", "'- a'", "'---\na: 1\n---\nb: 2'", "'\t{'", "'\u0001'"})
  void read_somethingElse_isRefused(String text) {
    assertThatThrownBy(() -> PlatformReader.read(text))
        .isInstanceOf(MalformedInput.class)
        .hasMessageNotContaining("\n");
  }

  @Test
  void read_deepNesting_isRefused() {
    assertThatThrownBy(() -> PlatformReader.read("[".repeat(100_000)))
        .isInstanceOf(MalformedInput.class);
    assertThatThrownBy(() -> PlatformReader.read("a: ".repeat(10) + "{".repeat(60)))
        .isInstanceOf(MalformedInput.class);
  }

  @Test
  void read_anythingChanged_isAPlatformOrRefused() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(99);
    String text = EmbeddedPlatforms.find("two-socket").orElseThrow();
    for (int round = 0; round < 400; round++) {
      StringBuilder changed = new StringBuilder(text);
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        int at = random.nextInt(changed.length());
        changed.setCharAt(at, (char) random.nextInt(0x20, 0x7f));
      }
      try {
        PlatformReader.read(changed.toString());
      } catch (MalformedInput refused) {
        assertThat(refused.reason()).doesNotContain("\n");
      }
    }
  }
}
