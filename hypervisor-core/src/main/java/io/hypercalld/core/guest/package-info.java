/**
 * A guest's memory: as its instructions reach it, and as the hypervisor copies it.
 *
 * <p>Depends on {@code core.domain}, {@code core.p2m} and {@code core.memory}. Invariant: a page is
 * read or written only after its P2M type was asked. Who emulates what no memory answers comes from
 * above, as {@link io.hypercalld.core.guest.Emulation}.
 */
@NullMarked
package io.hypercalld.core.guest;

import org.jspecify.annotations.NullMarked;
