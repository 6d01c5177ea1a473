/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.ioreq.server.planted;

import org.jspecify.annotations.NullMarked;
