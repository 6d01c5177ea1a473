package io.hypercalld.iommu.reach;

import java.util.Locale;

/** How a source names the processor that an interrupt is for. */
public enum AimFormat {
  /** The command register of an xAPIC. */
  XAPIC,

  /** The command register of an x2APIC. */
  X2APIC,

  /** A message or redirection entry that nothing remaps. */
  COMPATIBILITY,

  /** The same with 7 more bits of destination. */
  EXTENDED,

  /** The index of an entry of the domain's interrupt-remapping table. */
  REMAPPABLE,

  /** A message of a unit's own, with an upper address of its own. */
  UNIT;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
