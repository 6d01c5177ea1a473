/**
 * What can be asked of the hypervisor, as plain records, and how it answers.
 *
 * <p>A {@link io.hypercalld.core.hypercall.Command} is everything that may change a machine; the
 * result depends on it and on the state alone. Argument names are those of Xen's public headers.
 */
@NullMarked
package io.hypercalld.core.hypercall;

import org.jspecify.annotations.NullMarked;
