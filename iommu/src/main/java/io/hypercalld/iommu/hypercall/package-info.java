/**
 * The hypercalls that concern devices: who may ask, in which order it is checked, what it answers.
 *
 * <p>Depends on {@code iommu.driver} for everything that is then done.
 *
 * @see "Xen XEN_DOMCTL_assign_device and its companions, PHYSDEVOP_pci_device_*"
 */
@NullMarked
package io.hypercalld.iommu.hypercall;

import org.jspecify.annotations.NullMarked;
