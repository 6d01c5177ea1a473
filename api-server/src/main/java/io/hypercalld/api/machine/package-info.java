/**
 * One machine and the thread that owns it.
 *
 * <p>{@link io.hypercalld.api.machine.Machine} is the composition root: it alone sees every module.
 * Everything below it is touched by {@link io.hypercalld.api.machine.MachineThread} only; what
 * leaves that thread is immutable.
 */
@NullMarked
package io.hypercalld.api.machine;

import org.jspecify.annotations.NullMarked;
