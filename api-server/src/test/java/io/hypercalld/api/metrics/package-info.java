/** Tests of what is told to Prometheus. */
@NullMarked
package io.hypercalld.api.metrics;

import org.jspecify.annotations.NullMarked;
