package io.hypercalld.core.p2m;

/**
 * Leaves that follow each other in one table. Immutable.
 *
 * @param gfn guest frame of the first
 * @param level of the table; 1 is the lowest
 */
record LeafSpan(long gfn, long count, int level) {}
