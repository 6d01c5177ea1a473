/** Tests of the package. */
@NullMarked
package io.hypercalld.api.json;

import org.jspecify.annotations.NullMarked;
