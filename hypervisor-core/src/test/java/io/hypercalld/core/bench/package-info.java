/**
 * Runs the benchmarks of every module in one go and compares each with the bare loop of its class.
 *
 * <p>Convention: in a benchmark class, the method whose name begins with {@code bare} does the same
 * work in plain Java over the same memory.
 */
@NullMarked
package io.hypercalld.core.bench;

import org.jspecify.annotations.NullMarked;
