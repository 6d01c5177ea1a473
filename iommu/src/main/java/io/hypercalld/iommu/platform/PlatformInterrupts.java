package io.hypercalld.iommu.platform;

/**
 * What of a machine has to do with interrupts, beside the sources that its units name. Immutable.
 *
 * @param processors physical ones, with the APIC ids from 0 on
 * @param remapping whether firmware lets interrupts be remapped: INTR_REMAP of the DMAR table
 * @param x2apic whether it lets processors have 32-bit ids: X2APIC_OPT_OUT clear
 */
public record PlatformInterrupts(int processors, boolean remapping, boolean x2apic) {
  /** The most processors that a machine may have. */
  public static final int MOST_PROCESSORS = 4096;

  /** Eight processors, and firmware that objects to nothing. */
  public static final PlatformInterrupts USUAL = new PlatformInterrupts(8, true, true);

  private static final int INTR_REMAP = 1;
  private static final int X2APIC_OPT_OUT = 1 << 1;

  public PlatformInterrupts {
    if (processors < 1 || processors > MOST_PROCESSORS) {
      throw new IllegalArgumentException("a machine with %d processors".formatted(processors));
    }
  }

  /** As the flags of a DMAR table say. */
  static PlatformInterrupts ofFirmware(int flags) {
    return new PlatformInterrupts(
        USUAL.processors, (flags & INTR_REMAP) != 0, (flags & X2APIC_OPT_OUT) == 0);
  }
}
