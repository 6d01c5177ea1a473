/**
 * Domains: what they are, what they have, how they come and go.
 *
 * <p>Depends on {@code core.memory}, {@code core.p2m}, {@code core.transaction}, {@code core.errno}
 * and {@code core.digest}; other modules add to a domain through {@link
 * io.hypercalld.core.domain.DomainFacet} and are not named here. Invariant: a frame owned by a
 * domain belongs to a domain in the {@link io.hypercalld.core.domain.DomainTable}, which keeps the
 * dead ones as long as anything refers to them.
 */
@NullMarked
package io.hypercalld.core.domain;

import org.jspecify.annotations.NullMarked;
