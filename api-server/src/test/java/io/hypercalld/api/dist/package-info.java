/** Tests of what is shipped beside the daemon. */
@NullMarked
package io.hypercalld.api.dist;

import org.jspecify.annotations.NullMarked;
