/** Tests of the command line that asks a daemon. */
@NullMarked
package io.hypercalld.api.client;

import org.jspecify.annotations.NullMarked;
