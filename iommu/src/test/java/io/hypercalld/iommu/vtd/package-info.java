/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.iommu.vtd;

import org.jspecify.annotations.NullMarked;
