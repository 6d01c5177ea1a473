/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.driver.planted;

import org.jspecify.annotations.NullMarked;
