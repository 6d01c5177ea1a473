/** Tests of the package. */
@NullMarked
package io.hypercalld.api.cli;

import org.jspecify.annotations.NullMarked;
