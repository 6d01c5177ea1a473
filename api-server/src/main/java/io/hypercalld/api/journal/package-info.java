/**
 * A machine's journal as text: one line of JSON that says how the machine began, one for each
 * command, and one that says where they end. Whoever executes them again arrives at the same state.
 */
@NullMarked
package io.hypercalld.api.journal;

import org.jspecify.annotations.NullMarked;
