/**
 * PCI as the machine has it: the functions that exist, the bridges between them, and the requester
 * ids under which their DMA reaches a remapping unit.
 *
 * <p>Depends on {@code core.digest} and {@code core.errno}. Invariants: a function's address exists
 * once; a virtual function exists only beside its physical function; the bus below a bridge is
 * numbered higher than the bridge's own, so that every walk ends. Spec: PCI Express Base 5.0;
 * device types and aliases as in Xen's drivers/passthrough/pci.c.
 */
@NullMarked
package io.hypercalld.iommu.pci;

import org.jspecify.annotations.NullMarked;
