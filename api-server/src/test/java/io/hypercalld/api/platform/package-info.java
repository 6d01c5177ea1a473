/** Tests of the package of the same name. */
@NullMarked
package io.hypercalld.api.platform;

import org.jspecify.annotations.NullMarked;
