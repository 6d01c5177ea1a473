/** Whole stories: what somebody sets out to do with the daemon, from start to end. */
@NullMarked
package io.hypercalld.api.scenario;

import org.jspecify.annotations.NullMarked;
