package io.hypercalld.api.platform;

import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.platform.PlatformSource.LoadedPlatform;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.VcpuLimit;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.Atsr;
import io.hypercalld.iommu.acpi.DeviceScope;
import io.hypercalld.iommu.acpi.Drhd;
import io.hypercalld.iommu.driver.DomainIdPolicy;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.Profile;
import io.hypercalld.iommu.driver.Quarantine;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.platform.Platform;
import io.hypercalld.iommu.platform.PlatformInterrupts;
import io.hypercalld.iommu.platform.PlatformMemory;
import io.hypercalld.iommu.platform.PlatformUnit;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.Habits;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Makes a platform of its YAML form. Confined to its caller. */
final class PlatformReader {
  private static final long PAGE_BYTES = 4096;
  private static final int MOST_SEGMENT = 0xffff;
  private static final int MOST_WINDOW_ORDER = 15;
  private static final int MOST_ENUMERATION_ID = 0xff;
  private static final int MOST_VERSION = 0xff;

  /** The keys of a scope that say what its address is the address of. */
  private static final Map<String, DeviceScope.Type> SCOPES =
      new TreeMap<>(
          Map.of(
              "endpoint", DeviceScope.Type.PCI_ENDPOINT,
              "bridge", DeviceScope.Type.PCI_BRIDGE,
              "ioapic", DeviceScope.Type.IOAPIC,
              "hpet", DeviceScope.Type.MSI_HPET,
              "acpi", DeviceScope.Type.ACPI_DEVICE));

  private final List<PciFunction> functions;
  private final Map<Sbdf, PciFunction> byAddress = new HashMap<>();

  private PlatformReader(List<PciFunction> functions) {
    this.functions = functions;
    functions.forEach(function -> byAddress.putIfAbsent(function.sbdf(), function));
  }

  /**
   * The platform that the text describes.
   *
   * @throws MalformedInput where it is not understood or contradicts itself
   */
  static LoadedPlatform read(String text) {
    YamlObject root =
        YamlFile.parse(text)
            .object(
                "name",
                "hostAddressWidth",
                "memory",
                "interrupts",
                "units",
                "devices",
                "reservedRegions",
                "atsPorts",
                "policies");
    List<PciFunction> functions =
        root.required("devices").list().stream().map(DeviceReader::read).toList();
    return new LoadedPlatform(
        new PlatformReader(functions).platform(root), List.of(), policies(root));
  }

  private static ChoosePolicies policies(YamlObject root) {
    return root.optional("policies").map(PlatformReader::policies).orElse(ChoosePolicies.NONE);
  }

  private static ChoosePolicies policies(YamlValue value) {
    YamlObject policies =
        value.object(
            "domainIds", "quarantine", "profile", "flush", "intpost", "ats", "viommu", "maxVcpus");
    return new ChoosePolicies(
        choice(policies, "domainIds", DomainIdPolicy.class),
        choice(policies, "quarantine", Quarantine.Mode.class),
        choice(policies, "profile", Profile.class),
        choice(policies, "flush", FlushPolicy.class),
        choice(policies, "intpost", ChoosePolicies.Toggle.class),
        choice(policies, "ats", ChoosePolicies.Toggle.class),
        choice(policies, "viommu", ChoosePolicies.Toggle.class),
        policies.optional("maxVcpus").map(PlatformReader::limitOfVcpus));
  }

  private static int limitOfVcpus(YamlValue value) {
    int limit = value.number(VcpuLimit.MOST);
    if (limit < 1) {
      throw value.wrong("from 1 to %d vCPUs are possible", VcpuLimit.MOST);
    }
    return limit;
  }

  private static <E extends Enum<E>> Optional<E> choice(
      YamlObject policies, String key, Class<E> type) {
    return policies.optional(key).map(value -> choice(value, type));
  }

  private static <E extends Enum<E>> E choice(YamlValue value, Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> constant.toString().equals(value.text()))
        .findFirst()
        .orElseThrow(
            () ->
                value.wrong(
                    "%s is none of %s", value.text(), Arrays.toString(type.getEnumConstants())));
  }

  private Platform platform(YamlObject root) {
    YamlObject memory = root.required("memory").object("size", "lowTop", "dom0", "dom0Mode");
    Platform described =
        new Platform(
            root.required("name").text(),
            memory(memory),
            root.required("hostAddressWidth").number(64),
            root.required("units").list().stream().map(this::unit).toList(),
            functions,
            root.list("reservedRegions").stream().map(PlatformReader::region).toList(),
            root.optional("interrupts")
                .map(PlatformReader::interrupts)
                .orElse(PlatformInterrupts.USUAL));
    Platform platform =
        memory
            .optional("dom0Mode")
            .map(mode -> described.withDom0Mode(choice(mode, DmaMode.class)))
            .orElse(described);
    return root.optional("atsPorts")
        .map(ports -> platform.withAtsBelow(atsrs(ports.list())))
        .orElse(platform);
  }

  /** Ports name what is below them; a device that is integrated may be named itself. */
  private List<Atsr> atsrs(List<YamlValue> ports) {
    return ports.stream().map(this::atsr).toList();
  }

  private Atsr atsr(YamlValue port) {
    Sbdf sbdf = port.sbdf();
    boolean bridge =
        Optional.ofNullable(byAddress.get(sbdf)).flatMap(PciFunction::buses).isPresent();
    DeviceScope.Type type = bridge ? DeviceScope.Type.PCI_BRIDGE : DeviceScope.Type.PCI_ENDPOINT;
    requireThere(type, sbdf, port);
    return new Atsr(sbdf.segment(), false, List.of(DeviceScope.of(type, sbdf)));
  }

  private static PlatformInterrupts interrupts(YamlValue value) {
    YamlObject interrupts = value.object("processors", "remapping", "x2apic");
    PlatformInterrupts usual = PlatformInterrupts.USUAL;
    int processors =
        interrupts.number("processors", PlatformInterrupts.MOST_PROCESSORS, usual.processors());
    if (processors == 0) {
      throw value.wrong("a machine has a processor");
    }
    return new PlatformInterrupts(
        processors, interrupts.flag("remapping", true), interrupts.flag("x2apic", true));
  }

  private static PlatformMemory memory(YamlObject memory) {
    return new PlatformMemory(
        memory.optional("size").map(YamlValue::bytes).orElse(PlatformMemory.DEFAULT_BYTES),
        memory.required("lowTop").bytes(),
        memory.optional("dom0").map(YamlValue::bytes).orElse(PlatformMemory.DEFAULT_DOM0_BYTES));
  }

  private PlatformUnit unit(YamlValue value) {
    YamlObject unit =
        value.object(
            "base",
            "segment",
            "window",
            "cap",
            "ecap",
            "version",
            "habits",
            "includeAll",
            "scopes");
    int segment = unit.number("segment", MOST_SEGMENT, 0);
    return new PlatformUnit(
        new Drhd(
            segment,
            unit.required("base").word(),
            unit.optional("window").map(PlatformReader::windowOrder).orElse(0),
            unit.flag("includeAll", false),
            unit.list("scopes").stream().map(scope -> scope(segment, scope)).toList()),
        new Capabilities(unit.required("cap").word(), unit.required("ecap").word()),
        new UnitVersion(unit.number("version", MOST_VERSION, UnitVersion.V1_0.value())),
        unit.optional("habits").map(PlatformReader::habits).orElse(Habits.STRICT));
  }

  private static Habits habits(YamlValue value) {
    Habits strict = Habits.STRICT;
    YamlObject habits =
        value.object(
            "collapsesFaults",
            "remembersAbsence",
            "checksDomainOfDevice",
            "forgetsWhenSwitched",
            "dropsHighAddressBits",
            "remembersTables",
            "checksPassThrough",
            "qualifiesReservedContexts");
    return new Habits(
        habits.flag("collapsesFaults", strict.collapsesFaults()),
        habits.flag("remembersAbsence", strict.remembersAbsence()),
        habits.flag("checksDomainOfDevice", strict.checksDomainOfDevice()),
        habits.flag("forgetsWhenSwitched", strict.forgetsWhenSwitched()),
        habits.flag("dropsHighAddressBits", strict.dropsHighAddressBits()),
        habits.flag("remembersTables", strict.remembersTables()),
        habits.flag("checksPassThrough", strict.checksPassThrough()),
        habits.flag("qualifiesReservedContexts", strict.qualifiesReservedContexts()));
  }

  private static int windowOrder(YamlValue value) {
    long bytes = value.bytes();
    int order = Long.numberOfTrailingZeros(bytes / PAGE_BYTES);
    if (bytes < PAGE_BYTES || Long.bitCount(bytes) != 1 || order > MOST_WINDOW_ORDER) {
      throw value.wrong("a register window has 4KiB times a power of two, at most 128MiB");
    }
    return order;
  }

  private DeviceScope scope(int segment, YamlValue value) {
    YamlObject scope = value.object("endpoint", "bridge", "ioapic", "hpet", "acpi", "id");
    List<String> kinds =
        SCOPES.keySet().stream().filter(key -> scope.optional(key).isPresent()).toList();
    if (kinds.size() != 1) {
      throw value.wrong("a scope has one of the keys %s", String.join(", ", SCOPES.keySet()));
    }
    DeviceScope.Type type = SCOPES.getOrDefault(kinds.getFirst(), DeviceScope.Type.PCI_ENDPOINT);
    YamlValue address = scope.required(kinds.getFirst());
    Sbdf sbdf = address.sbdf();
    if (sbdf.segment() != segment) {
      throw address.wrong("the unit is in segment %d", segment);
    }
    requireThere(type, sbdf, address);
    return new DeviceScope(
        type,
        0,
        scope.number("id", MOST_ENUMERATION_ID, 0),
        sbdf.bus(),
        List.of(new DeviceScope.Step(sbdf.device(), sbdf.function())));
  }

  private void requireThere(DeviceScope.Type type, Sbdf sbdf, YamlValue address) {
    Optional<PciFunction> function = Optional.ofNullable(byAddress.get(sbdf));
    switch (type) {
      case PCI_ENDPOINT -> {
        if (function.isEmpty()) {
          throw address.wrong("device %s does not exist", sbdf);
        }
      }
      case PCI_BRIDGE -> {
        if (function.flatMap(PciFunction::buses).isEmpty()) {
          throw address.wrong("%s is no bridge with buses", sbdf);
        }
      }
      // Interrupt sources and ACPI devices have ids that no PCI function need have.
      case IOAPIC, MSI_HPET, ACPI_DEVICE -> {}
    }
  }

  private static ReservedRegion region(YamlValue value) {
    YamlObject region = value.object("base", "limit", "devices");
    return new ReservedRegion(
        region.required("base").word(),
        region.required("limit").word(),
        region.required("devices").list().stream().map(YamlValue::sbdf).toList());
  }
}
