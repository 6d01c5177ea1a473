/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.virtual.planted;

import org.jspecify.annotations.NullMarked;
