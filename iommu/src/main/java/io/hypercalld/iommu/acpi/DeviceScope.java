package io.hypercalld.iommu.acpi;

import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One device that a structure of the table names, by the path to it. Immutable.
 *
 * @param flags of a SIDP's scope; 0 elsewhere
 * @param enumerationId of an IOAPIC, an HPET or an ACPI device; 0 elsewhere
 * @param startBus where the path begins
 * @param path at least one step: bridges, and last the device
 * @see "VT-d §8.3.1"
 */
public record DeviceScope(Type type, int flags, int enumerationId, int startBus, List<Step> path) {
  /** What a scope names. */
  public enum Type {
    /** Exactly one PCI function. */
    PCI_ENDPOINT(1),
    /** A bridge and everything on the buses below it. */
    PCI_BRIDGE(2),
    IOAPIC(3),
    MSI_HPET(4),
    /** A device of the ACPI name space, under the requester id that the path names. */
    ACPI_DEVICE(5);

    private final int number;

    Type(int number) {
      this.number = number;
    }

    /** The value in the table. */
    public int number() {
      return number;
    }
  }

  /** Device and function on whatever bus the path has reached. */
  public record Step(int device, int function) {
    public Step {
      if (device < 0 || device > 0x1f || function < 0 || function > 0x7) {
        throw new IllegalArgumentException("no PCI device %x.%x".formatted(device, function));
      }
    }

    @Override
    public String toString() {
      return "%02x.%x".formatted(device, function);
    }
  }

  public DeviceScope {
    path = List.copyOf(path);
    if (path.isEmpty()) {
      throw new IllegalArgumentException("a device scope has a path");
    }
  }

  /** A scope whose path is the one step to {@code sbdf}. */
  public static DeviceScope of(Type type, Sbdf sbdf) {
    return new DeviceScope(
        type, 0, 0, sbdf.bus(), List.of(new Step(sbdf.device(), sbdf.function())));
  }

  /** Start bus and steps: {@code 00:1c.7/00.0}. */
  public String pathText() {
    return "%02x:".formatted(startBus)
        + path.stream().map(Step::toString).collect(Collectors.joining("/"));
  }
}
