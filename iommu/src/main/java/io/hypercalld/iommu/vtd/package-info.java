/**
 * The remapping architecture's words, stateless: registers, table entries, invalidation
 * descriptors, fault records and reasons, each spelled exactly once.
 *
 * <p>Used by both sides of the interface: by {@code iommu.unit}, the silicon, and by {@code
 * iommu.driver}, which reaches the silicon through {@link io.hypercalld.iommu.vtd.Mmio} and machine
 * memory only. Depends on {@code core.bits}, {@code core.memory} and {@code iommu.pci}. Section
 * numbers cite Intel's Virtualization Technology for Directed I/O specification, rev 4.1.
 */
@NullMarked
package io.hypercalld.iommu.vtd;

import org.jspecify.annotations.NullMarked;
