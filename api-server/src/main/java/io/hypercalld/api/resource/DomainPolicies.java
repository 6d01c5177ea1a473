package io.hypercalld.api.resource;

import io.hypercalld.api.machine.ClaimChoices;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.TableFrameSize;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.ViommuApi;
import io.hypercalld.ioreq.server.ClaimPolicies;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Policies of a domain as they are asked for; those that cannot be chosen yet are refused.
 * Immutable.
 */
record DomainPolicies(
    Optional<DomainView.PageTables> pageTables,
    Optional<MemoryChoices.Granule> p2mPageSize,
    Optional<List<MemoryChoices.Leaf>> dmaLeafSizes,
    Optional<List<SyncHook>> syncHooks,
    Optional<TableFrameSize> tableFrameSize,
    Optional<FlushPolicy> flush,
    Optional<DmaMode> dmaMode,
    Optional<ClaimPolicies.Unclaimed> unclaimed,
    Optional<ClaimPolicies.ClaimAccess> claimAccess,
    Optional<ClaimPolicies.ClaimUpdate> claimUpdate,
    Optional<ClaimPolicies.Destroyed> serverDestroy,
    Optional<Integer> claimTypes,
    Optional<ClaimPolicies.Generation> claimProfile,
    Optional<String> apicIds,
    Optional<String> intremap,
    Optional<String> extDestId,
    Optional<ShadowSync> shadowSync,
    Optional<ViommuApi> viommuApi) {

  /**
   * Refuses what cannot be had yet.
   *
   * @throws io.hypercalld.api.rest.Failure 501
   */
  void requireBuilt() {
    unbuilt().entrySet().stream()
        .filter(entry -> entry.getValue().isPresent())
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst()
        .ifPresent(
            policy -> {
              throw NewDomain.unbuilt("the policy " + policy);
            });
  }

  /** What it says about the page type that servers claim. */
  ClaimChoices claims() {
    return new ClaimChoices(
        unclaimed, claimAccess, claimUpdate, serverDestroy, claimTypes, claimProfile);
  }

  private Map<String, Optional<?>> unbuilt() {
    return Map.ofEntries(
        Map.entry("apicIds", apicIds),
        Map.entry("intremap", intremap),
        Map.entry("extDestId", extDestId));
  }
}
