package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;

/**
 * {@code unpin_table}: a pinned page table becomes a frame like any other.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain; {@code EPERM} the caller may not act for it
 *   <li>{@code EINVAL} the domain is translated, or the frame is not its own or not pinned
 * </ul>
 *
 * @see "Xen MMUEXT_UNPIN_TABLE"
 */
public record UnpinTable(@OrElse("32752") DomainId domid, Mfn mfn) implements Hypercall {}
