/**
 * What the hypervisor does about faults: reads them out of every unit, says whose they are, and
 * stops devices that fault in a storm.
 *
 * <p>Above {@code iommu.driver}, whose fault registers it reads.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, do_iommu_page_fault; xen/drivers/passthrough/pci.c,
 *     pci_check_disable_device"
 */
@NullMarked
package io.hypercalld.iommu.fault;

import org.jspecify.annotations.NullMarked;
