/**
 * A state test of domains' memory: a {@code MemoryModel} of plain maps, a {@code StateHost} that
 * makes the hypercalls, {@code Operation}s that do the same to both, and a {@code StateWalk} that
 * picks among them at random and compares. What devices see comes from outside, as {@code Devices}.
 *
 * <p>Everything here is confined to the test's thread.
 */
@NullMarked
package io.hypercalld.core.state;

import org.jspecify.annotations.NullMarked;
