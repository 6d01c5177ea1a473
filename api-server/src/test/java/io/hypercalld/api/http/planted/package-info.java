/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.api.http.planted;

import org.jspecify.annotations.NullMarked;
