package io.hypercalld.iommu.vtd;

/**
 * What a request says of its address space: the PASID prefix of the transaction, or that there is
 * none. Immutable; one object serves every request of a device in that address space.
 *
 * @param present whether the request carries the prefix; all else is zero where it does not
 * @param pasid the address space, 20 bits
 * @param privileged PMR: the request is a supervisor's
 * @param execute ER: the read is an instruction fetch
 * @see "PCIe Base Specification §6.20"
 */
public record PasidPrefix(boolean present, int pasid, boolean privileged, boolean execute) {
  /** Number of PASID bits. */
  public static final int BITS = 20;

  /** A request without PASID. */
  public static final PasidPrefix NONE = new PasidPrefix(false, 0, false, false);

  public PasidPrefix {
    if (pasid >>> BITS != 0) {
      throw new IllegalArgumentException("PASID 0x%x has more than 20 bits".formatted(pasid));
    }
    if (!present && (pasid != 0 || privileged || execute)) {
      throw new IllegalArgumentException("attributes without a PASID");
    }
  }

  /** A user's data requests in an address space. */
  public static PasidPrefix of(int pasid) {
    return new PasidPrefix(true, pasid, false, false);
  }
}
