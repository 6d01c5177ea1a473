/**
 * The immutable description of a whole machine: memory, remapping units, functions, reserved
 * regions. Every description is checked when it is made; one that contradicts itself cannot exist.
 *
 * <p>Depends on {@code iommu.acpi}, {@code iommu.pci}, {@code iommu.vtd}, {@code core.memory} and
 * {@code core.errno}.
 */
@NullMarked
package io.hypercalld.iommu.platform;

import org.jspecify.annotations.NullMarked;
