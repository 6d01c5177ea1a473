package io.hypercalld.iommu.driver;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;

/**
 * The global command register of a unit. Immutable.
 *
 * @see "VT-d §11.4.4, §11.4.5"
 */
record GlobalCommands(int unit, Mmio registers) {
  /**
   * Sets one bit beside the persistent ones that are on.
   *
   * @throws Refusal ENODEV the status does not follow
   */
  void turnOn(BitField bit) {
    write(bit);
    if (!bit.isSet(registers.read32(Register.GSTS.offset()))) {
      throw Refusal.of(Errno.ENODEV, "iommu %d does not carry out global command %s", unit, bit);
    }
  }

  /** Shows hardware what has become present, where it does not see stores by itself. */
  void flushWriteBuffer(Capabilities capabilities) {
    if (capabilities.requiresWriteBufferFlush()) {
      write(GlobalCommand.WBF);
    }
  }

  private void write(BitField bit) {
    int persistent = registers.read32(Register.GSTS.offset()) & ~GlobalCommand.ONE_SHOT;
    registers.write32(Register.GCMD.offset(), (int) bit.set(persistent));
  }
}
