package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;

/**
 * {@code free_context}: give an address space back with all that is mapped in it.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code EINVAL} there is no such context, or it is the first; an unknown flag
 *   <li>{@code EBUSY} a device goes through it, and is not to go back; {@code EIO} a unit does not
 *       obey
 * </ul>
 *
 * @param flags bit 0: devices go back to the first context before
 * @see "spec/documents.md S1-D22"
 */
public record FreeContext(int ctxNo, @OrElse("0") long flags) implements Hypercall {}
