/**
 * The {@code dm_op} operations on ioreq servers. Depends on the other packages of {@code ioreq},
 * and on {@code io.hypercalld.core}. Spec: xen/include/public/hvm/dm_op.h.
 */
@NullMarked
package io.hypercalld.ioreq.hypercall;

import org.jspecify.annotations.NullMarked;
