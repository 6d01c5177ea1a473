/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.interrupt.planted;

import org.jspecify.annotations.NullMarked;
