/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.audit.planted;

import org.jspecify.annotations.NullMarked;
