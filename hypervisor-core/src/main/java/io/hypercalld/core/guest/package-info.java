/**
 * Access to a guest's memory by guest-physical address.
 *
 * <p>Depends on {@code core.domain}, {@code core.p2m} and {@code core.memory}. Invariant: a page is
 * read or written only after its P2M type was asked.
 */
@NullMarked
package io.hypercalld.core.guest;

import org.jspecify.annotations.NullMarked;
