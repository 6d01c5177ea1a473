/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.platform.planted;

import org.jspecify.annotations.NullMarked;
