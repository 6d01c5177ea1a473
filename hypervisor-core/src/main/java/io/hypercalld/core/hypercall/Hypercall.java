package io.hypercalld.core.hypercall;

/**
 * The arguments of one hypercall operation. The record's components are the members of Xen's C
 * struct, in camel case; those that callers may leave out are marked {@link OrElse}.
 */
public interface Hypercall extends Command {}
