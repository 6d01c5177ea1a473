package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.OrElse;
import java.util.Optional;

/**
 * The members of {@code xen_domctl_bind_pt_irq}'s union. Immutable.
 *
 * @param isa an ISA interrupt; accepted and refused, as in Xen
 * @param pci a line of a device that the domain sees
 * @param msi a message
 */
public record PtIrqBinding(
    @OrElse("{\"isa_irq\":0}") Isa isa,
    @OrElse("{\"bus\":0,\"device\":0,\"intx\":0}") Pci pci,
    @OrElse("{\"gvec\":0,\"gflags\":\"0x0\"}") Msi msi) {
  /** An ISA interrupt. */
  public record Isa(long isaIrq) {}

  /** A line: device 0 to 31, intx 0 to 3. */
  public record Pci(@OrElse("0") long bus, long device, int intx) {}

  /**
   * A message: taken apart, or as the domain wrote it.
   *
   * @param gvec vector in the domain
   * @param gflags {@code XEN_DOMCTL_VMSI_X86_*}: destination, mode, delivery, trigger, unmasked
   * @param addr address that the domain wrote, remappable or not; of {@code gflags} then only
   *     unmasked counts
   * @param data 32 bits
   * @param gtable where the domain sees the MSI-X table; 0 where it has none
   */
  public record Msi(
      @OrElse("0") int gvec,
      @OrElse("0") Word gflags,
      @OrElse("0") Word gtable,
      Optional<Word> addr,
      Optional<Word> data) {}
}
