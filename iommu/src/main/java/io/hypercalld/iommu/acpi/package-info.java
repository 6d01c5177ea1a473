/**
 * The ACPI DMAR table: how firmware says which remapping unit covers which function, and which
 * memory devices use before an operating system runs.
 *
 * <p>A table comes from outside and is believed in nothing: each length is checked before it is
 * used, nothing recurses, and a table that contradicts itself is refused with the offset and the
 * reason. Depends on {@code iommu.pci} and {@code core.errno}. Spec: VT-d rev 4.1 chapter 8.
 */
@NullMarked
package io.hypercalld.iommu.acpi;

import org.jspecify.annotations.NullMarked;
