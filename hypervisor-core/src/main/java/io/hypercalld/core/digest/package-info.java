/**
 * The digest of a machine's whole state: equal states have equal digests, on every run and host.
 * Depends on nothing.
 */
@NullMarked
package io.hypercalld.core.digest;

import org.jspecify.annotations.NullMarked;
