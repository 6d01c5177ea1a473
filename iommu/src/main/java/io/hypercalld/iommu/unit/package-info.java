/**
 * Remapping hardware, simulated: registers, caches, walk, fault log. One {@link
 * io.hypercalld.iommu.unit.RemappingUnit} per DRHD, and the {@link
 * io.hypercalld.iommu.unit.RootComplex} that sends devices' requests through them.
 *
 * <p>Depends on the core's words, memory and digest, on {@code iommu.vtd} and on {@code
 * iommu.pci.SourceId} only: hardware does not know what a domain is.
 *
 * <p>Invariants: a request is a function of registers, caches and machine memory; a cached
 * translation is dropped by an invalidation or by eviction and by nothing else; of the tables only
 * accessed and dirty marks and posted-interrupt descriptors are written. Legacy and scalable mode
 * and interrupt remapping of VT-d rev 4.1; what the unit lacks it does not announce, see {@link
 * io.hypercalld.iommu.unit.UnitSettings}.
 */
@NullMarked
package io.hypercalld.iommu.unit;

import org.jspecify.annotations.NullMarked;
