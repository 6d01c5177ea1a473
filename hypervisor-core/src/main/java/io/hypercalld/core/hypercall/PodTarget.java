package io.hypercalld.core.hypercall;

/**
 * What a domain has and what it was promised. Immutable.
 *
 * @param totPages frames charged to it, those in the cache included
 * @param podCachePages frames to populate from
 * @param podEntries guest frames that wait to be populated
 * @see "xen/include/public/memory.h, struct xen_pod_target"
 */
public record PodTarget(long totPages, long podCachePages, long podEntries) {}
