package io.hypercalld.api.experiment;

import io.hypercalld.core.hypercall.OrElse;

/**
 * Where a device's context entry points from its domain's creation on. Immutable.
 *
 * @param cachingMode whether the guest invalidates what becomes present, too
 */
public record ViommuTimelineQuestion(@OrElse("true") boolean cachingMode) {}
