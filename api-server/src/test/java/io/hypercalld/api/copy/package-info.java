/** Tests of {@link io.hypercalld.api.copy}. */
@NullMarked
package io.hypercalld.api.copy;

import org.jspecify.annotations.NullMarked;
