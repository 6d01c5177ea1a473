package io.hypercalld.api.hypercall;

/** How much of what Xen does an operation does here. */
public enum Level {
  /** All that can be observed. */
  FULL,
  /** Some of it; the rest is refused, never ignored. */
  PARTIAL,
  /** Nothing: ENOSYS. */
  NONE
}
