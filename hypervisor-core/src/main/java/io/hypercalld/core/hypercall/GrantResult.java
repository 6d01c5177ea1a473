package io.hypercalld.core.hypercall;

/** What a grant operation returns that has nothing else to say. Immutable. */
public record GrantResult(int status) {}
