/** Measurements of the daemon as its clients see it. */
@NullMarked
package io.hypercalld.api.bench;

import org.jspecify.annotations.NullMarked;
