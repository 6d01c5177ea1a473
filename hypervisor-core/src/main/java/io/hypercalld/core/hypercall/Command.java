package io.hypercalld.core.hypercall;

/**
 * One change to a machine, as a record of plain values. A time or a seed that it depends on is part
 * of it, so that the same commands on the same state end in the same state.
 */
public interface Command {}
