/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.api.rest.planted;

import org.jspecify.annotations.NullMarked;
