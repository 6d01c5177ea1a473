package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;

/**
 * The driver's way to make a unit forget. Each command has taken effect when the method returns.
 *
 * <p>Every method throws {@link io.hypercalld.core.errno.Refusal} EIO where the unit rejects the
 * command or does not complete it: what it remembers is then unknown, and nothing may be reused.
 *
 * @see "VT-d §6.5"
 */
sealed interface Invalidations extends Digestible permits InvalidationRing, InvalidationRegisters {
  /** The address mask that stands for every page. */
  int ALL_PAGES = 52;

  /** All context entries. */
  void contextGlobal();

  /** One requester's context entry that is tagged with {@code did}. */
  void contextDevice(int did, SourceId requester);

  /** All translations. */
  void iotlbGlobal();

  /** All translations of a domain-id. */
  void iotlbDomain(int did);

  /**
   * The translations of a domain-id for 2^{@code addressMask} pages at {@code iova}, which is
   * aligned to them, and the tables that lead to them.
   */
  void iotlbPages(int did, long iova, int addressMask);

  /**
   * What a device remembers by itself of 2^{@code addressMask} pages at {@code iova}; everything
   * with {@link #ALL_PAGES}. To a unit with a queue only.
   *
   * @throws io.hypercalld.core.errno.Refusal ETIMEDOUT the device does not answer; EIO
   */
  void deviceTlb(SourceId device, long iova, int addressMask);

  /** Whatever else there is a descriptor for. To a unit with a queue only. */
  void queued(InvalidationDescriptor command);

  /** All interrupt-remapping entries. To a unit with a queue only. */
  void interruptsGlobal();

  /** One interrupt-remapping entry. To a unit with a queue only. */
  void interruptEntry(int index);
}
