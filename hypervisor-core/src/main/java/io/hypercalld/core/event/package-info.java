/**
 * Event channels: one bit from one domain, or the hypervisor, to another.
 *
 * <p>Depends on {@code core.domain} and {@code core.memory}. Invariant: of two ports connected to
 * each other both say so; what is pending and masked is in the pages that the hypervisor shares
 * with domains, and nowhere else. Spec: xen/include/public/event_channel.h.
 */
@NullMarked
package io.hypercalld.core.event;

import org.jspecify.annotations.NullMarked;
