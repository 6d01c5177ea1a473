package io.hypercalld.core.hypercall;

/**
 * {@code send}: notify whoever is at the other end of a port; nobody may be.
 *
 * <ul>
 *   <li>{@code EINVAL} the caller does not use such a port
 * </ul>
 *
 * @see "Xen EVTCHNOP_send"
 */
public record SendEvent(long port) implements Hypercall {}
