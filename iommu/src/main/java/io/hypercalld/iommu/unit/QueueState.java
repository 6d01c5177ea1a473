package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.QueueError;
import io.hypercalld.iommu.vtd.QueueMode;
import java.util.Optional;

/**
 * The invalidation queue at a glance. Immutable.
 *
 * @param base machine address of the ring
 * @param mode which descriptors the ring holds
 * @param size how many descriptors the ring holds
 * @param head index of the descriptor that hardware fetches next
 * @param tail index of the descriptor that software writes next
 * @param error why the queue stopped at its head; empty while it runs
 */
public record QueueState(
    boolean enabled,
    long base,
    QueueMode mode,
    int size,
    int head,
    int tail,
    Optional<QueueError> error) {}
