package io.hypercalld.iommu.reach;

import java.util.Locale;

/** What sends interrupts to a domain's vCPUs. */
public enum SourceKind {
  /** Another vCPU, by its interrupt command register. */
  IPI,

  /** A device that a device model or the hypervisor emulates. */
  EMULATED_MSI,

  /** A device of the machine's that the domain has. */
  PASSTHROUGH_MSI,

  /** A pin of the domain's I/O APIC. */
  IO_APIC,

  /** The domain's own remapping unit, which tells of faults. */
  IOMMU_EVENT;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
