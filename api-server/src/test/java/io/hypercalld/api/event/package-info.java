/** Tests of streams of events. */
@NullMarked
package io.hypercalld.api.event;

import org.jspecify.annotations.NullMarked;
