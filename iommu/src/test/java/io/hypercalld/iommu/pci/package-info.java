/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.iommu.pci;

import org.jspecify.annotations.NullMarked;
