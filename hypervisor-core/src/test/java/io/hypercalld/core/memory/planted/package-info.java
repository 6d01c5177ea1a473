/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.core.memory.planted;

import org.jspecify.annotations.NullMarked;
