/**
 * The pages that an ioreq server shares with the hypervisor, as bytes in machine memory: a slot for
 * each vCPU's request, and a ring of requests that nobody waits for.
 *
 * <p>Depends on {@code io.hypercalld.core} only. Invariant: what a page says is kept nowhere else,
 * so that an emulator which reads and writes it and one which is sent messages see the same. Spec:
 * xen/include/public/hvm/ioreq.h.
 */
@NullMarked
package io.hypercalld.ioreq.page;

import org.jspecify.annotations.NullMarked;
