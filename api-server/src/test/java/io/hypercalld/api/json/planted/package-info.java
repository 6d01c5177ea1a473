/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.api.json.planted;

import org.jspecify.annotations.NullMarked;
