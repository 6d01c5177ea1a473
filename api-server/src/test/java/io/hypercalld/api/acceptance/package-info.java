/**
 * Xen's numbered behaviours over HTTP: one row of a suite is one behaviour. Depends on the scenario
 * fixture only, never on a machine's inside.
 */
@NullMarked
package io.hypercalld.api.acceptance;

import org.jspecify.annotations.NullMarked;
