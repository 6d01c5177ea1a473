/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.iommu.pci.planted;

import org.jspecify.annotations.NullMarked;
