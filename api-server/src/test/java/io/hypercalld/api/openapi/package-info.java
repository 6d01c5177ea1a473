/** Tests of the interface's description. */
@NullMarked
package io.hypercalld.api.openapi;

import org.jspecify.annotations.NullMarked;
