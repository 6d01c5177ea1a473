package io.hypercalld.iommu.unit;

/**
 * What a request comes to, before protected regions and the fault log have had their say.
 * Immutable.
 *
 * @param leaf the page, or the reason why the request is blocked: a {@link Leaf} word
 * @param cached whether the IOTLB answers
 * @param stale whether a cached entry is used that the tables in memory contradict
 * @param silent FPD of the entries that are used
 */
record ExplainedVerdict(long leaf, boolean cached, boolean stale, boolean silent) {}
