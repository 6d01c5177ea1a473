package io.hypercalld.iommu.pci;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which bridge hides the functions of each bus, as Xen's {@code bus2bridge} table has it. Confined
 * to the machine thread.
 *
 * <p>Filled by the bridges that put conventional PCI above or below them; ports of switches and
 * root ports never appear, because requests pass them unchanged.
 */
final class AliasingBridges {
  /**
   * The bridge that ends a search, and the bus directly below it on the way there.
   *
   * @param bus where the bridge's first function number lies that may stand for the whole bus
   */
  record Alias(PciFunction bridge, int bus) {
    List<SourceId> requesterIds() {
      List<SourceId> ids = new ArrayList<>();
      ids.add(bridge.sbdf().sourceId());
      if (bridge.kind() == PciKind.PCIE_TO_PCI_BRIDGE) {
        ids.add(SourceId.of(bus, 0));
      }
      return ids;
    }
  }

  private record Bus(int segment, int number) implements Comparable<Bus> {
    @Override
    public int compareTo(Bus other) {
      int bySegment = Integer.compare(segment, other.segment);
      return bySegment != 0 ? bySegment : Integer.compare(number, other.number);
    }
  }

  private final TreeMap<Bus, PciFunction> bridges = new TreeMap<>();

  /** Takes over the bridges among functions that come in order of address. */
  void rebuild(Collection<PciFunction> functions) {
    bridges.clear();
    functions.stream().filter(function -> function.kind().isAliasing()).forEach(this::enter);
  }

  private void enter(PciFunction bridge) {
    // A bridge further down comes later, because its own bus is numbered higher, and takes over
    // the buses that are nearer to it.
    bridge
        .buses()
        .ifPresent(
            buses -> {
              for (int bus = buses.secondary(); bus <= buses.subordinate(); bus++) {
                bridges.put(new Bus(bridge.sbdf().segment(), bus), bridge);
              }
            });
  }

  /** Follows the table upwards from a function to the last bridge in it. */
  Optional<Alias> topmostAbove(Sbdf sbdf) {
    Optional<Alias> topmost = Optional.empty();
    int bus = sbdf.bus();
    PciFunction bridge = bridges.get(new Bus(sbdf.segment(), bus));
    // Ends: the bus below a bridge is always numbered higher than the bridge's own.
    while (bridge != null) {
      topmost = Optional.of(new Alias(bridge, bus));
      bus = bridge.sbdf().bus();
      bridge = bridges.get(new Bus(sbdf.segment(), bus));
    }
    return topmost;
  }
}
