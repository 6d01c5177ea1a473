/** One half of a circle. */
@NullMarked
package io.hypercalld.core.planted.cycle.there;

import org.jspecify.annotations.NullMarked;
