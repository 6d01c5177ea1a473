package io.hypercalld.core.hypercall;

/**
 * What {@link GetMemType} returns. Immutable.
 *
 * @param memType ram_rw 0, ram_ro 1, mmio_dm 2, ioreq_server 4, and 5 to 7 where the domain has
 *     more types than one
 * @see "xen/include/public/hvm/hvm_op.h"
 */
public record MemType(int memType) {}
