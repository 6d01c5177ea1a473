package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainId;

/**
 * {@code get_version}: the format of a grant table.
 *
 * <ul>
 *   <li>{@code ESRCH} no such domain
 *   <li>{@code EPERM} not privileged
 * </ul>
 *
 * @see "Xen GNTTABOP_get_version"
 */
public record GetGrantVersion(DomainId dom) implements Hypercall {
  /** What it returns. */
  public record Version(int version) {}
}
