/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.iommu.platform;

import org.jspecify.annotations.NullMarked;
