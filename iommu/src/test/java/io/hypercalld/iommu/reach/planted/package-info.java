/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.reach.planted;

import org.jspecify.annotations.NullMarked;
