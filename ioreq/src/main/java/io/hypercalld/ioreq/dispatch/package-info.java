/**
 * The way of an access from a virtual CPU to an ioreq server and back.
 *
 * <p>Depends on {@code ioreq.server}, {@code ioreq.page} and {@code io.hypercalld.core}. Invariant:
 * a vCPU that waits has one request for each server it waits for, and no other slot of its is in
 * use. Spec: xen/arch/x86/hvm/emulate.c, hvmemul_do_io; xen/common/ioreq.c, ioreq_send.
 */
@NullMarked
package io.hypercalld.ioreq.dispatch;

import org.jspecify.annotations.NullMarked;
