package io.hypercalld.iommu.interrupt;

import java.util.List;

/** What asks for interrupts beside PCI functions, in the order of firmware. Immutable. */
public record Chipset(List<IoApicSource> ioApics, List<HpetSource> hpets) {
  /** Nothing does. */
  public static final Chipset NONE = new Chipset(List.of(), List.of());

  public Chipset {
    ioApics = List.copyOf(ioApics);
    hpets = List.copyOf(hpets);
  }
}
