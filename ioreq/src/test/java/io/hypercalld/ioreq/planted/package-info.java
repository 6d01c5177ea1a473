/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.ioreq.planted;

import org.jspecify.annotations.NullMarked;
