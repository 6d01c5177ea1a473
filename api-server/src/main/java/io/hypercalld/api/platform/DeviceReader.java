package io.hypercalld.api.platform;

import io.hypercalld.api.json.Spelling;
import io.hypercalld.iommu.pci.BusRange;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.pci.PciFunction.Feature;
import io.hypercalld.iommu.pci.PciIdentity;
import io.hypercalld.iommu.pci.PciKind;
import io.hypercalld.iommu.pci.PciKind.ExpressType;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SriovCapability;
import java.util.Arrays;
import java.util.List;

/** Makes PCI functions of their YAML form. Never instantiated. */
final class DeviceReader {
  private static final int MOST_ID = 0xffff;
  private static final int MOST_CLASS = 0xff_ffff;
  private static final int MOST_BUS = 0xff;
  private static final int MOST_STRIDE = 4;

  private DeviceReader() {}

  static PciFunction read(YamlValue value) {
    YamlObject device =
        value.object(
            "address",
            "vendor",
            "device",
            "class",
            "description",
            "kind",
            "buses",
            "sriov",
            "phantomStride",
            "msiX",
            "msiXMasked",
            "ats",
            "busMaster",
            "hidden");
    Sbdf sbdf = device.required("address").sbdf();
    PciIdentity identity =
        new PciIdentity(
            device.required("vendor").number(MOST_ID),
            device.required("device").number(MOST_ID),
            device.required("class").number(MOST_CLASS),
            device.optional("description").map(YamlValue::text).orElse(""));
    return value.checked(() -> function(device, sbdf, identity));
  }

  private static PciFunction function(YamlObject device, Sbdf sbdf, PciIdentity identity) {
    PciFunction function =
        PciFunction.of(sbdf, identity, kind(device, identity))
            .with(Feature.MSI_X, device.flag("msiX", false))
            .with(Feature.MSI_X_MASKED, device.flag("msiXMasked", false))
            .with(Feature.ATS, device.flag("ats", false))
            .with(Feature.BUS_MASTER, device.flag("busMaster", true))
            .withPhantomStride(device.number("phantomStride", MOST_STRIDE, 0));
    PciFunction bridge = device.optional("buses").map(b -> withBuses(function, b)).orElse(function);
    PciFunction whole = device.optional("sriov").map(s -> withSriov(bridge, s)).orElse(bridge);
    return device.flag("hidden", false) ? whole.with(Feature.HIDDEN, true) : whole;
  }

  private static PciKind kind(YamlObject device, PciIdentity identity) {
    return device
        .optional("kind")
        .map(DeviceReader::kind)
        .orElse(PciKind.express(identity.baseAndSubclass(), ExpressType.PORT_OR_ENDPOINT));
  }

  private static PciKind kind(YamlValue value) {
    List<String> names = Arrays.stream(PciKind.values()).map(PciKind::toString).toList();
    return Arrays.stream(PciKind.values())
        .filter(kind -> kind.toString().equals(value.text()))
        .findFirst()
        .orElseThrow(
            () ->
                value.wrong("unknown kind %s%s", value.text(), Spelling.hint(value.text(), names)));
  }

  private static PciFunction withBuses(PciFunction function, YamlValue value) {
    YamlObject buses = value.object("secondary", "subordinate");
    int secondary = buses.required("secondary").number(MOST_BUS);
    int subordinate = buses.number("subordinate", MOST_BUS, secondary);
    return value.checked(() -> function.withBuses(new BusRange(secondary, subordinate)));
  }

  private static PciFunction withSriov(PciFunction function, YamlValue value) {
    YamlObject sriov = value.object("totalVfs", "numVfs", "offset", "stride", "device");
    int total = sriov.required("totalVfs").number(MOST_ID);
    int enabled = sriov.number("numVfs", MOST_ID, total);
    int offset = sriov.required("offset").number(MOST_ID);
    int stride = sriov.required("stride").number(MOST_ID);
    int virtualDevice = sriov.required("device").number(MOST_ID);
    return value.checked(
        () ->
            function.withSriov(new SriovCapability(total, enabled, offset, stride, virtualDevice)));
  }
}
