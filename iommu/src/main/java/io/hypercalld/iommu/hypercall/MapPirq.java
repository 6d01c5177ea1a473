package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code map_pirq}: give a domain an interrupt of the machine under a number of its own.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller is not its device model, or may not
 *       have the interrupt
 *   <li>{@code EINVAL} unknown type; no such GSI, interrupt or number; a table with {@code
 *       MULTI_MSI}
 *   <li>{@code EEXIST} it has another number already; {@code EBUSY} it is in use
 *   <li>{@code EDOM} not 1 to 32 messages; {@code EOPNOTSUPP} several, without interrupt remapping
 *   <li>{@code ENOSPC} no number, interrupt or vector is free; {@code EFAULT} no remapping entry
 *   <li>{@code ENODEV} the function is not the domain's or sends no such messages; {@code ENFILE}
 *       it sends fewer, as {@code entry_nr} then says
 * </ul>
 *
 * @param type MSI 0, GSI 1, MSI_SEG 3, MULTI_MSI 4
 * @param index the GSI, or the interrupt for messages; -1 for a new one
 * @param pirq the number; negative for any
 * @param bus of the function; with the segment in bits 31:16 for MSI_SEG and MULTI_MSI
 * @param entryNr entry of the MSI-X table, or how many messages
 * @param tableBase of the MSI-X table; 0 for MSI
 * @see "Xen PHYSDEVOP_map_pirq"
 */
public record MapPirq(
    DomainId domid,
    int type,
    @OrElse("-1") int index,
    @OrElse("-1") int pirq,
    @OrElse("0") long bus,
    @OrElse("0") long devfn,
    @OrElse("0") long entryNr,
    @OrElse("0") Word tableBase)
    implements Hypercall {
  public static final int TYPE_MSI = 0;
  public static final int TYPE_GSI = 1;
  public static final int TYPE_MSI_SEG = 3;
  public static final int TYPE_MULTI_MSI = 4;

  /** What it answers, refused or not. */
  public record Mapped(int pirq, long entryNr) {}
}
