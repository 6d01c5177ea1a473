/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.unit.planted;

import org.jspecify.annotations.NullMarked;
