/**
 * What the hypervisor says while it works: its console ring. Depends on the clock and on the
 * digest.
 */
@NullMarked
package io.hypercalld.core.console;

import org.jspecify.annotations.NullMarked;
