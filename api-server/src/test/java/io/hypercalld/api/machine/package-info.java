/** Tests of the package. */
@NullMarked
package io.hypercalld.api.machine;

import org.jspecify.annotations.NullMarked;
