/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.vtd.planted;

import org.jspecify.annotations.NullMarked;
