package io.hypercalld.core.hypercall;

/**
 * {@code set_version}: change the format of the caller's own grant table; its first 8 entries stay.
 *
 * <ul>
 *   <li>{@code EINVAL} no version that the caller may have
 *   <li>{@code EBUSY} an entry is in use, or a page of status words mapped
 *   <li>{@code ENOMEM} no pages for status words
 * </ul>
 *
 * @see "Xen GNTTABOP_set_version"
 */
public record SetGrantVersion(long version) implements Hypercall {}
