/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.fault.planted;

import org.jspecify.annotations.NullMarked;
