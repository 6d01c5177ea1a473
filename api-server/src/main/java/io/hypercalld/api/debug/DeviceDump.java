package io.hypercalld.api.debug;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.interrupt.MachineInterrupt;
import io.hypercalld.iommu.interrupt.MsiSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Keys {@code Q} and {@code M}. Never instantiated.
 *
 * @see "xen/drivers/passthrough/pci.c, _dump_pci_devices; xen/arch/x86/msi.c, dump_msi"
 */
final class DeviceDump {
  private DeviceDump() {}

  static void printDevices(Machine machine, Lines out) {
    out.print("==== PCI devices ====");
    Map<Integer, List<PciDevice>> segments =
        machine.driver().devices().all().stream()
            .collect(
                Collectors.groupingBy(
                    device -> device.sbdf().segment(), TreeMap::new, Collectors.toList()));
    segments.forEach(
        (segment, devices) -> {
          out.print("==== segment %04x ====", segment);
          devices.forEach(device -> printDevice(machine, device, out));
        });
  }

  /** Nothing is known of the machine's nodes, which Xen prints as -1. */
  private static void printDevice(Machine machine, PciDevice device, Lines out) {
    out.print("%s - %s - node %-3d%s", device.sbdf(), owner(device), -1, messages(machine, device));
  }

  private static String owner(PciDevice device) {
    if (device.owner().equals(DomainId.IO)) {
      return "DomIO:%x".formatted(device.quarantineTag().orElse(DomainId.INVALID).value());
    }
    return device.owner().equals(DomainId.XEN) ? "d[XEN]" : "d" + device.owner().value();
  }

  private static String messages(Machine machine, PciDevice device) {
    List<MachineInterrupt> messages = machine.interrupts().machine().messagesOf(device.sbdf());
    return messages.isEmpty()
        ? ""
        : messages.stream()
            .map(message -> message.number() + " ")
            .collect(Collectors.joining("", " - MSIs < ", ">"));
  }

  static void printMessages(Machine machine, Lines out) {
    out.print("MSI information:");
    machine
        .interrupts()
        .machine()
        .all()
        .forEach(
            interrupt ->
                interrupt.message().ifPresent(source -> printMessage(interrupt, source, out)));
  }

  /** As composed, before it is remapped: fixed, edge, physical. */
  private static void printMessage(MachineInterrupt interrupt, MsiSource source, Lines out) {
    boolean host = interrupt.guests().isEmpty();
    out.print(
        " %-6s%4d vec=%02x%7s%6s%3sassert%5s%7s dest=%08x mask=%d/%c%c/%c",
        source.msiX() ? "MSI-X" : "MSI",
        interrupt.number(),
        interrupt.at().vector(),
        "fixed",
        "edge",
        "",
        "phys",
        "fixed",
        interrupt.at().processor(),
        1,
        host ? 'H' : ' ',
        source.masked() ? 'G' : ' ',
        source.masked() || host ? '1' : '0');
  }
}
