/**
 * Sets of numbers that lie in few ranges: frames, ports, interrupts.
 *
 * <p>Depends on {@code core.digest} only. Numbers are unsigned, ranges include both their ends, as
 * Xen's do.
 */
@NullMarked
package io.hypercalld.core.ranges;

import org.jspecify.annotations.NullMarked;
