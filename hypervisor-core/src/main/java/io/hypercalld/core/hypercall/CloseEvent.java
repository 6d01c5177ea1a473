package io.hypercalld.core.hypercall;

/**
 * {@code close}: give a port back; the one that it was connected with waits again.
 *
 * <ul>
 *   <li>{@code EINVAL} the caller does not use such a port
 * </ul>
 *
 * @see "Xen EVTCHNOP_close"
 */
public record CloseEvent(long port) implements Hypercall {}
