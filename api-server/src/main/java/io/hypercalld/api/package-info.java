/** The daemon. */
@NullMarked
package io.hypercalld.api;

import org.jspecify.annotations.NullMarked;
