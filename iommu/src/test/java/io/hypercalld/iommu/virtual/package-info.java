@NullMarked
package io.hypercalld.iommu.virtual;

import org.jspecify.annotations.NullMarked;
