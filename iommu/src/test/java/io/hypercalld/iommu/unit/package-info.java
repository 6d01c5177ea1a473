/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.iommu.unit;

import org.jspecify.annotations.NullMarked;
