package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.hypercall.Hypercall;

/**
 * {@code alloc_context}: make an empty address space that devices can be pointed at.
 *
 * <ul>
 *   <li>{@code EPERM}, {@code ENOSYS} as for {@link QueryCapabilities}
 *   <li>{@code ENOSPC} the caller has as many as it may have; {@code ENOMEM} no frame for its table
 * </ul>
 *
 * @see "spec/documents.md S1-D22"
 */
public record AllocContext() implements Hypercall {
  /** Its number, from 1 on. */
  public record Allocated(int ctxNo) {}
}
