/** Tests and benchmarks of what servers answer for. */
@NullMarked
package io.hypercalld.ioreq.server;

import org.jspecify.annotations.NullMarked;
