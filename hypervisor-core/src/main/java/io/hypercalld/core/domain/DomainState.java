package io.hypercalld.core.domain;

/**
 * Whether a domain lives. {@code is_dying} in Xen.
 *
 * @see "xen/include/xen/sched.h"
 */
public enum DomainState {
  ALIVE,
  /** Destruction has begun; what it holds is being given back. */
  DYING,
  /** Nothing runs any more; the struct stays as long as somebody refers to it. */
  DEAD
}
