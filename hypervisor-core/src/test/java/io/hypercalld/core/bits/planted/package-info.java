/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.core.bits.planted;

import org.jspecify.annotations.NullMarked;
