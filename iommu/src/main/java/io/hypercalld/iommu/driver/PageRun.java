package io.hypercalld.iommu.driver;

import io.hypercalld.core.p2m.Gfn;

/**
 * Consecutive guest frames, and as many consecutive frames of a device's address space. Immutable.
 *
 * @param dfn the first as the device counts them
 */
public record PageRun(Gfn gfn, Gfn dfn, long count) {}
