/**
 * What happens in a machine as events, for whoever watches over HTTP: a ring of the last ones, and
 * everybody's place in it. Written by the machine's thread, which never waits for a reader.
 */
@NullMarked
package io.hypercalld.api.event;

import org.jspecify.annotations.NullMarked;
