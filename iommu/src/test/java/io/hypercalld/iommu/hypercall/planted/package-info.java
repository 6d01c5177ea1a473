/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.hypercall.planted;

import org.jspecify.annotations.NullMarked;
