package io.hypercalld.core.hypercall;

/**
 * What {@link NrVcpus} returns. Immutable.
 *
 * @see "xen/include/public/hvm/dm_op.h"
 */
public record VcpuCount(int vcpus) {}
