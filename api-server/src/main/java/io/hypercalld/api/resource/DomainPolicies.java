package io.hypercalld.api.resource;

import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.api.machine.ClaimChoices;
import io.hypercalld.api.machine.DmaChoices;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.ApicIds;
import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.IommuApi;
import io.hypercalld.iommu.driver.TableFrameSize;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.ViommuApi;
import io.hypercalld.ioreq.server.ClaimPolicies;
import java.util.List;
import java.util.Optional;

/** Policies of a domain as they are asked for. Immutable. */
record DomainPolicies(
    Optional<DomainView.PageTables> pageTables,
    Optional<MemoryChoices.Granule> p2mPageSize,
    Optional<List<MemoryChoices.Leaf>> dmaLeafSizes,
    Optional<List<SyncHook>> syncHooks,
    Optional<TableFrameSize> tableFrameSize,
    Optional<FlushPolicy> flush,
    Optional<DmaMode> dmaMode,
    Optional<IommuApi> iommuApi,
    Optional<Integer> nbCtx,
    Optional<ClaimPolicies.Unclaimed> unclaimed,
    Optional<ClaimPolicies.ClaimAccess> claimAccess,
    Optional<ClaimPolicies.ClaimUpdate> claimUpdate,
    Optional<ClaimPolicies.Destroyed> serverDestroy,
    Optional<Integer> claimTypes,
    Optional<ClaimPolicies.Generation> claimProfile,
    Optional<ApicIds> apicIds,
    Optional<ChoosePolicies.Toggle> intremap,
    Optional<ChoosePolicies.Toggle> extDestId,
    Optional<ShadowSync> shadowSync,
    Optional<ViommuApi> viommuApi,
    Optional<DevicePaging> devicePaging) {

  /** What it says about the page type that servers claim. */
  ClaimChoices claims() {
    return new ClaimChoices(
        unclaimed, claimAccess, claimUpdate, serverDestroy, claimTypes, claimProfile);
  }

  /** What it says about how messages find vCPUs. */
  DomainSettings.Interrupts interrupts() {
    return new DomainSettings.Interrupts(
        apicIds.orElse(ApicIds.TWICE),
        extDestId.filter(ChoosePolicies.Toggle.ON::equals).isPresent());
  }

  /** What it says about how the domain drives devices. */
  DmaChoices devices() {
    return new DmaChoices(dmaMode, iommuApi, nbCtx);
  }
}
