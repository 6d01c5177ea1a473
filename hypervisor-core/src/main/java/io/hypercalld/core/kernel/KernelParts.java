package io.hypercalld.core.kernel;

import io.hypercalld.core.dma.DmaOperations;
import io.hypercalld.core.hypercall.GuestCalls;
import java.util.Optional;

/**
 * What a kernel is made of in one address mode. Shallowly immutable.
 *
 * @param regions how pages are made contiguous, where they are not always
 */
record KernelParts(GuestCalls xen, DmaOperations dma, Optional<ContiguousRegions> regions) {}
