/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.iommu.acpi;

import org.jspecify.annotations.NullMarked;
