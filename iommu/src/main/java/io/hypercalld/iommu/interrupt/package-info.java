/**
 * The hypervisor's interrupts: the machine's own, with their vectors and remapping entries, and the
 * way from there to the vCPUs of domains.
 *
 * <p>Above {@code iommu.driver}, which owns the units' tables; hardware hands interrupts to {@link
 * io.hypercalld.iommu.interrupt.Processors}.
 *
 * <p>Invariant: an entry of an interrupt-remapping table is in use exactly as long as the machine
 * interrupt that it belongs to, and lets through only the requester of that interrupt.
 *
 * @see "xen/arch/x86/{irq,msi}.c, xen/drivers/passthrough/vtd/intremap.c,
 *     xen/drivers/passthrough/x86/hvm.c"
 */
@NullMarked
package io.hypercalld.iommu.interrupt;

import org.jspecify.annotations.NullMarked;
