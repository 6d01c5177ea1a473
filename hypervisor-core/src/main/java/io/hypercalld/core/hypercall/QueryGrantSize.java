package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code query_size}: how many pages a grant table has.
 *
 * <p>Answers 0 with a {@code GNTST_*} status: 0 okay, -2 no such domain, -8 not privileged.
 *
 * @see "Xen GNTTABOP_query_size"
 */
public record QueryGrantSize(DomainId dom) implements Hypercall {
  /** What it returns. */
  public record Size(int status, long nrFrames, long maxNrFrames) {}
}
