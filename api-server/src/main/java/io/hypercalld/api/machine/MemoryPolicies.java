package io.hypercalld.api.machine;

import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.FlushPolicy;
import java.util.Optional;
import java.util.Set;

/**
 * What is chosen for a domain's memory when it is made. Immutable.
 *
 * @param geometry shape of its P2M
 * @param syncHooks kinds of changes of the P2M that its devices' table follows; empty for those of
 *     the driver's profile
 * @param dma how its devices translate
 * @param flush when units are told of changes; empty for the machine's policy
 * @param claims what becomes of the page type that servers claim
 * @param devices how it drives devices
 * @param devicePaging whether it can have a pager beside an IOMMU
 */
public record MemoryPolicies(
    P2mGeometry geometry,
    Optional<Set<SyncHook>> syncHooks,
    DmaPolicy dma,
    Optional<FlushPolicy> flush,
    ClaimChoices claims,
    DmaChoices devices,
    DevicePaging devicePaging) {
  public MemoryPolicies {
    syncHooks = syncHooks.map(Set::copyOf);
  }

  /** With page types claimed as in Xen. */
  public MemoryPolicies(P2mGeometry geometry, Optional<Set<SyncHook>> syncHooks, DmaPolicy dma) {
    this(
        geometry,
        syncHooks,
        dma,
        Optional.empty(),
        ClaimChoices.NONE,
        DmaChoices.NONE,
        DevicePaging.REFUSE);
  }

  /** The same for a driver domain. */
  public MemoryPolicies with(DmaMode mode) {
    return new MemoryPolicies(
        geometry, syncHooks, dma, flush, claims, DmaChoices.of(mode), devicePaging);
  }

  /** The same with another answer to who wants devices and a pager. */
  public MemoryPolicies with(DevicePaging paging) {
    return new MemoryPolicies(geometry, syncHooks, dma, flush, claims, devices, paging);
  }

  /** What Xen does unless told otherwise. */
  public static MemoryPolicies usual() {
    return new MemoryPolicies(P2mGeometry.GRANULE_4K, Optional.empty(), DmaPolicy.usual());
  }
}
