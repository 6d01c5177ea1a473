package io.hypercalld.core.hypercall;

import java.util.List;

/** The ranges of memory that devices need mapped where they are: who drives the devices knows. */
public interface ReservedDeviceMemory {
  /** All ranges, each once, in the order of firmware's tables. */
  List<ReservedDeviceMemoryMap.Range> all();

  /** Those of one device. */
  List<ReservedDeviceMemoryMap.Range> of(ReservedDeviceMemoryMap.PciDevice device);
}
