/**
 * A guest's kernel, as far as its drivers use it: the memory that it keeps for them, what it asks
 * the hypervisor for on their behalf, and what it says.
 *
 * <p>It makes hypercalls as its domain and copies its domain's memory; it sees nothing of the
 * machine besides. Facts: spec/documents.md 4.2.
 */
@NullMarked
package io.hypercalld.core.kernel;

import org.jspecify.annotations.NullMarked;
