/** Breaks the layers on purpose. */
@NullMarked
package io.hypercalld.ioreq.page.planted;

import org.jspecify.annotations.NullMarked;
