/** Tests of the way of an access to a server and back. */
@NullMarked
package io.hypercalld.ioreq.dispatch;

import org.jspecify.annotations.NullMarked;
