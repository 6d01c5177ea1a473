package io.hypercalld.core.hypercall;

/**
 * What a hypercall writes to lists of its caller's, element by element: of one that was preempted
 * each part writes its own. Immutable.
 */
public interface Written {
  /** All that this part and those before it wrote; {@code earlier} is of the same call. */
  Written after(Written earlier);
}
