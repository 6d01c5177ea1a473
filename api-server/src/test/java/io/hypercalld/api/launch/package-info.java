/** Tests of the daemon as its users start it: through the launcher, in a process of its own. */
@NullMarked
package io.hypercalld.api.launch;

import org.jspecify.annotations.NullMarked;
