package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PhysicalMemory;

/** Tables in a unit's memory. Confined to the machine thread. */
final class PhysicalTables implements TableMemory {
  private final PhysicalMemory memory;

  PhysicalTables(PhysicalMemory memory) {
    this.memory = memory;
  }

  @Override
  public boolean isReadable(long address) {
    return memory.isRam(address);
  }

  @Override
  public long readWord(long address) {
    return memory.readWord(address);
  }

  @Override
  public void setBits(long address, long bits) {
    memory.writeWord(address, memory.readWord(address) | bits);
  }
}
