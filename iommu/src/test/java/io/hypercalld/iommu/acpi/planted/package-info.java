/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.acpi.planted;

import org.jspecify.annotations.NullMarked;
