package io.hypercalld.core;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.memory.MemoryMap;
import java.util.Optional;

/**
 * What a machine's hypervisor starts with. Immutable.
 *
 * @param memoryMap what lies where
 * @param dom0Bytes memory of dom0; a multiple of 4 KiB
 * @param dom0Vcpus vCPUs of dom0
 * @param iommu whether the machine has remapping units
 * @param snoop whether all of them can snoop
 * @param addressWidth bits of a machine address
 * @param dom0Mode what dom0 tells its devices as addresses; empty for what Xen ships
 */
public record HypervisorSettings(
    MemoryMap memoryMap,
    long dom0Bytes,
    int dom0Vcpus,
    boolean iommu,
    boolean snoop,
    int addressWidth,
    Optional<DmaMode> dom0Mode) {
  /** Memory of dom0 where nobody says otherwise. */
  public static final long DEFAULT_DOM0_BYTES = 1L << 30;

  private static final int DEFAULT_ADDRESS_WIDTH = 46;

  /** With dom0 as Xen ships it. */
  public HypervisorSettings(
      MemoryMap memoryMap,
      long dom0Bytes,
      int dom0Vcpus,
      boolean iommu,
      boolean snoop,
      int addressWidth) {
    this(memoryMap, dom0Bytes, dom0Vcpus, iommu, snoop, addressWidth, Optional.empty());
  }

  /** A machine with remapping units and the usual dom0. */
  public static HypervisorSettings of(MemoryMap memoryMap) {
    return new HypervisorSettings(
        memoryMap, DEFAULT_DOM0_BYTES, 4, true, true, DEFAULT_ADDRESS_WIDTH);
  }
}
