/** How parts of a machine take part in being copied. */
@NullMarked
package io.hypercalld.core.copy;

import org.jspecify.annotations.NullMarked;
