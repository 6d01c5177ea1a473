package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code viommu_op}: gives a domain a virtual IOMMU that remaps interrupts, in the generation that
 * the domain's policy {@code viommuApi} names. Never in a release of Xen.
 *
 * <ul>
 *   <li>{@code ESRCH}, {@code EPERM} as for other domctls
 *   <li>{@code ENOSYS} the generation has no such {@code cmd}: v4 only creates, v3 creates and
 *       destroys
 *   <li>{@code ENODEV} v3, and the machine's policy {@code viommu} is off; v3, and there is none to
 *       destroy
 *   <li>{@code EINVAL} an unknown type or capability, a base that is not aligned to 4 KiB, a PV,
 *       dying or hardware domain; of v2 a second one, and none to query or destroy
 *   <li>{@code E2BIG} v3 and v4: it has one already
 * </ul>
 *
 * @param cmd create 0, destroy 1, query_caps 2
 * @param viommuType INTEL_VTD 0
 * @param baseAddress guest-physical address of the register window
 * @param length v2: bytes of the window, of which it uses the first 4096; at least as many
 * @param capabilities bit 0 IRQ_REMAPPING
 * @param id of the one to destroy: 0
 * @see "spec/documents.md S1-D1 to S1-D4"
 */
public record ViommuOp(
    DomainId domain,
    @OrElse("0") int cmd,
    @OrElse("0") Word viommuType,
    @OrElse("0") Word baseAddress,
    @OrElse("4096") Word length,
    @OrElse("1") Word capabilities,
    @OrElse("0") int id)
    implements Hypercall {
  static final int CREATE = 0;
  static final int DESTROY = 1;
  static final int QUERY_CAPS = 2;

  /** The virtual IOMMU's number in its domain. */
  public record Created(int id) {}

  /** What a virtual IOMMU of the type can do. */
  public record Abilities(Word capabilities) {}
}
