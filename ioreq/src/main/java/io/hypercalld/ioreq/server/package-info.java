/**
 * The ioreq servers of a domain: which emulators there are, which guest addresses, ports, PCI
 * functions and page types each answers for, and which of them a request goes to.
 *
 * <p>Depends on {@code ioreq.page} and {@code io.hypercalld.core}. Invariants: each server has as
 * many ports as the domain has vCPUs, and one more for its ring, all of the domain's and for its
 * emulator; the ranges of one kind of one server neither overlap nor touch. Spec:
 * xen/common/ioreq.c.
 */
@NullMarked
package io.hypercalld.ioreq.server;

import org.jspecify.annotations.NullMarked;
