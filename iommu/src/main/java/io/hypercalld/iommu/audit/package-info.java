/**
 * The checker that knows both sides: what the driver believes and what the hardware remembers.
 *
 * <p>Depends on {@code iommu.driver}, {@code iommu.interrupt} and {@code iommu.unit}; the last
 * knows nothing of the others. Changes nothing. A violation here is a bug of the driver, or the
 * work of whoever went behind its back.
 *
 * @see "VT-d §6.5.3.1 for what software owes the caches"
 */
@NullMarked
package io.hypercalld.iommu.audit;

import org.jspecify.annotations.NullMarked;
