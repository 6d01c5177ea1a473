/**
 * The {@code dm_op} operations on ioreq servers. Depends on everything else of {@code ioreq} but
 * {@code dispatch}, and on {@code io.hypercalld.core}. Spec: xen/include/public/hvm/dm_op.h.
 */
@NullMarked
package io.hypercalld.ioreq.hypercall;

import org.jspecify.annotations.NullMarked;
