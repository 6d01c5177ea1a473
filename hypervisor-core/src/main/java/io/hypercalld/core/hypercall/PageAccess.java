package io.hypercalld.core.hypercall;

/**
 * What {@link AccessOp} returns when asked. Immutable.
 *
 * @param access as in the call
 */
public record PageAccess(long access) {}
