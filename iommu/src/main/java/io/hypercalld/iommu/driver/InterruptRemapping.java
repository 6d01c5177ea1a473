package io.hypercalld.iommu.driver;

import java.util.List;

/**
 * Whether the machine's units remap interrupts: all of them or none. Immutable.
 *
 * @param on whether they do
 * @param extended whether destinations have 32 bits: x2APIC mode
 * @see "xen/drivers/passthrough/vtd/intremap.c, intel_iommu_enable_eim; xen/arch/x86/apic.c"
 */
public record InterruptRemapping(boolean on, boolean extended) {
  /** What firmware says of interrupts. */
  public record Permit(boolean remapping, boolean x2apic) {
    /** A table with INTR_REMAP set and X2APIC_OPT_OUT clear. */
    public static final Permit ALL = new Permit(true, true);
  }

  /** What can be had of these units, where firmware permits it. */
  static InterruptRemapping possible(List<UnitDriver> units, Permit permit) {
    boolean on =
        permit.remapping()
            && !units.isEmpty()
            && units.stream().allMatch(InterruptRemapping::canRemap);
    boolean extended =
        on
            && permit.x2apic()
            && units.stream().allMatch(unit -> unit.capabilities().extendedInterruptMode());
    return new InterruptRemapping(on, extended);
  }

  private static boolean canRemap(UnitDriver unit) {
    return unit.capabilities().interruptRemapping() && unit.capabilities().queuedInvalidation();
  }
}
