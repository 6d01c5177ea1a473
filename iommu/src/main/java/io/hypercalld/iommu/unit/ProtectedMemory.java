package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.vtd.BitKinds;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ProtectedMemoryFields;
import io.hypercalld.iommu.vtd.Register;

/**
 * The two memory regions that no device may touch while protection is on. Confined to the machine
 * thread.
 *
 * <p>Bases and limits count in granules of 2 MiB: their low 21 bits read as zero, and a limit's are
 * taken as ones.
 *
 * @see "VT-d §11.4.8"
 */
final class ProtectedMemory {
  private static final BitField IN_GRANULE = BitField.bits("in granule", 20, 0);

  private final RegisterFile registers;
  private final Capabilities capabilities;
  private final PostedWrites postedWrites;
  private final BitKinds low;
  private final BitKinds high;
  private boolean enabled;

  ProtectedMemory(Circuit circuit) {
    this.registers = circuit.registers();
    this.capabilities = circuit.capabilities();
    this.postedWrites = circuit.postedWrites();
    this.low = Register.PLMBASE.kinds().without(IN_GRANULE.mask());
    this.high =
        Register.PHMBASE
            .kinds()
            .without(IN_GRANULE.mask() | -1L << circuit.settings().hostAddressWidth());
    if (capabilities.protectsLowMemory()) {
      registers.declare(Register.PLMBASE, low);
      registers.declare(Register.PLMLIMIT, low);
    }
    if (capabilities.protectsHighMemory()) {
      registers.declare(Register.PHMBASE, high);
      registers.declare(Register.PHMLIMIT, high);
    }
    if (capabilities.protectsLowMemory() || capabilities.protectsHighMemory()) {
      registers.declare(Register.PMEN, Register.PMEN.kinds());
      registers.onWrite(Register.PMEN, _ -> enableWritten());
    }
  }

  private void enableWritten() {
    postedWrites.drain();
    long value = registers.get(Register.PMEN);
    enabled = ProtectedMemoryFields.EPM.isSet(value);
    registers.set(Register.PMEN, ProtectedMemoryFields.PRS.put(value, enabled ? 1 : 0));
    // The regions cannot move under the protection.
    lock(capabilities.protectsLowMemory(), low, Register.PLMBASE, Register.PLMLIMIT);
    lock(capabilities.protectsHighMemory(), high, Register.PHMBASE, Register.PHMLIMIT);
  }

  private void lock(boolean implemented, BitKinds open, Register... bounds) {
    for (Register bound : bounds) {
      registers.setKinds(bound, enabled || !implemented ? BitKinds.READ_ONLY : open);
    }
  }

  /** Whether the protection is on and {@code maddr} lies in one of the regions. */
  boolean blocks(long maddr) {
    return enabled && isInside(maddr);
  }

  private boolean isInside(long maddr) {
    return contains(capabilities.protectsLowMemory(), Register.PLMBASE, Register.PLMLIMIT, maddr)
        || contains(capabilities.protectsHighMemory(), Register.PHMBASE, Register.PHMLIMIT, maddr);
  }

  private boolean contains(boolean implemented, Register base, Register limit, long maddr) {
    return implemented
        && Long.compareUnsigned(maddr, registers.get(base)) >= 0
        && Long.compareUnsigned(maddr, IN_GRANULE.set(registers.get(limit))) <= 0;
  }

  /** After a reset the registers are clear and the regions open. */
  void reset() {
    if (capabilities.protectsLowMemory() || capabilities.protectsHighMemory()) {
      enableWritten();
    }
  }
}
