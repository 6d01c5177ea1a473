package io.hypercalld.core.hypercall;

/** What {@link VmEventOp} returns when asked for the version of its interface. Immutable. */
public record VmEventVersion(long version) {}
