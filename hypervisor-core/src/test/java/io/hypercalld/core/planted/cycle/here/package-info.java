/** One half of a circle. */
@NullMarked
package io.hypercalld.core.planted.cycle.here;

import org.jspecify.annotations.NullMarked;
