package io.hypercalld.iommu.vtd;

/**
 * The revision of the architecture that a unit implements, as VER_REG says it. Immutable.
 *
 * @param value major in bits 7:4, minor in bits 3:0
 * @see "VT-d §11.4.1"
 */
public record UnitVersion(int value) {
  /** The first one. */
  public static final UnitVersion V1_0 = new UnitVersion(0x10);

  private static final int FIRST_WITH_QUEUES_ONLY = 0x60;

  /** Whether units of this version have CCMD, IVA and IOTLB registers. */
  public boolean invalidatesByRegisters() {
    return value < FIRST_WITH_QUEUES_ONLY;
  }
}
