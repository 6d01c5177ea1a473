package io.hypercalld.api.hypercall;

import io.hypercalld.core.hypercall.Hypercall;

/** A call of an operation that Xen has and this hypervisor lacks. Immutable. */
public record Unimplemented(String call, String op) implements Hypercall {}
