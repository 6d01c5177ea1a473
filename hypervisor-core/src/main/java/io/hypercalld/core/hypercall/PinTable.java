package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;

/**
 * {@code pin_l1_table}: a PV domain says that a frame of its own is a page table, which it may not
 * write from then on. What the table maps is not looked at.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller may not act for it
 *   <li>{@code EINVAL} the domain is translated, the frame is not its own, or is in use as
 *       something else or pinned already
 * </ul>
 *
 * @see "Xen MMUEXT_PIN_L1_TABLE"
 */
public record PinTable(@OrElse("32752") DomainId domid, Mfn mfn) implements Hypercall {}
