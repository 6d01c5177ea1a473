package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.Hypercall;

/**
 * {@code query_capabilities}: what a domain that maps its devices' memory itself may do.
 *
 * <ul>
 *   <li>{@code EPERM} the caller is neither dom0 nor a driver domain in mode vp-iommu, or no unit
 *       translates for it
 *   <li>{@code ENOSYS} it has the generation of 2016
 * </ul>
 *
 * @see "spec/documents.md S1-D22"
 */
public record QueryCapabilities() implements Hypercall {
  /**
   * What there is.
   *
   * @param maxCtxNo the highest number of a context
   * @param maxNrPages the most pages of one call
   * @param maxIova the highest address that a page may be mapped at, inclusive
   */
  public record Abilities(int maxCtxNo, int maxNrPages, Word maxIova) {}
}
