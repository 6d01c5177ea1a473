/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.planted;

import org.jspecify.annotations.NullMarked;
