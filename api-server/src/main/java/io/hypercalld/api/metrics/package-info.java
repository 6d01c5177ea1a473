/**
 * What the machine has done, for Prometheus.
 *
 * <p>Metrics are a view: the modules below count, {@link io.hypercalld.api.metrics.SnapshotTaker}
 * copies what they counted on the machine thread, and {@link io.hypercalld.api.metrics.Metrics}
 * exposes the last copy on whatever thread asks. So all values of one exposition belong together,
 * and a scrape never waits for the machine.
 *
 * <p>No label ever holds a frame, an address or a name that a caller chose.
 */
@NullMarked
package io.hypercalld.api.metrics;

import org.jspecify.annotations.NullMarked;
