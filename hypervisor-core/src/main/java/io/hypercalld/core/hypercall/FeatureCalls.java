package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainTable;

/**
 * The calls on what a translated domain's memory does besides being mapped. Confined to the machine
 * thread.
 */
public record FeatureCalls(
    PodCalls pod,
    PagingCalls paging,
    AccessCalls access,
    SharingCalls sharing,
    VmEventCalls events) {
  public static FeatureCalls of(DomainTable domains, Continuations continuations) {
    return new FeatureCalls(
        new PodCalls(domains, continuations),
        new PagingCalls(domains),
        new AccessCalls(domains, continuations),
        new SharingCalls(domains, continuations),
        new VmEventCalls(domains));
  }
}
