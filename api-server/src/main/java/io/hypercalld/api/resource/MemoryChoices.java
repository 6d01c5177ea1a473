package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.ClaimChoices;
import io.hypercalld.api.machine.DmaChoices;
import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.core.domain.DevicePaging;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.driver.DmaPolicy;
import io.hypercalld.iommu.driver.FlushPolicy;
import io.hypercalld.iommu.driver.TableFrameSize;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a new domain's body says about its memory, in the members of its own and among its policies.
 * Immutable.
 */
record MemoryChoices(
    Optional<DomainView.PageTables> pageTables,
    Optional<Granule> granule,
    Optional<List<Leaf>> leaves,
    Optional<List<SyncHook>> hooks,
    Optional<TableFrameSize> tableFrames,
    Optional<FlushPolicy> flush,
    ClaimChoices claims,
    DmaChoices devices,
    Optional<DevicePaging> devicePaging) {

  /** The granule of the P2M. */
  enum Granule {
    SIZE_4K("4KiB", P2mGeometry.GRANULE_4K),
    SIZE_8K("8KiB", P2mGeometry.GRANULE_8K),
    SIZE_16K("16KiB", P2mGeometry.GRANULE_16K),
    SIZE_64K("64KiB", P2mGeometry.GRANULE_64K);

    private final String text;
    private final P2mGeometry geometry;

    Granule(String text, P2mGeometry geometry) {
      this.text = text;
      this.geometry = geometry;
    }

    static Granule of(P2mGeometry geometry) {
      return switch (geometry) {
        case GRANULE_4K -> SIZE_4K;
        case GRANULE_8K -> SIZE_8K;
        case GRANULE_16K -> SIZE_16K;
        case GRANULE_64K -> SIZE_64K;
      };
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** A leaf that a separate table may have. */
  enum Leaf {
    SIZE_4K("4KiB", PageSize.SIZE_4K),
    SIZE_2M("2MiB", PageSize.SIZE_2M),
    SIZE_1G("1GiB", PageSize.SIZE_1G);

    private final String text;
    private final PageSize size;

    Leaf(String text, PageSize size) {
      this.text = text;
      this.size = size;
    }

    static Leaf of(PageSize size) {
      return switch (size) {
        case SIZE_4K -> SIZE_4K;
        case SIZE_2M -> SIZE_2M;
        case SIZE_1G -> SIZE_1G;
      };
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * The choices of a body.
   *
   * @throws InvalidBody where a member and a policy contradict each other
   */
  static MemoryChoices of(NewDomain body) {
    Optional<DomainPolicies> policies = body.policies();
    return new MemoryChoices(
        agreed("pageTables", body.pageTables(), policies.flatMap(DomainPolicies::pageTables)),
        agreed("p2mPageSize", body.p2mPageSize(), policies.flatMap(DomainPolicies::p2mPageSize)),
        policies.flatMap(DomainPolicies::dmaLeafSizes),
        policies.flatMap(DomainPolicies::syncHooks),
        policies.flatMap(DomainPolicies::tableFrameSize),
        policies.flatMap(DomainPolicies::flush),
        policies.map(DomainPolicies::claims).orElse(ClaimChoices.NONE),
        policies.map(DomainPolicies::devices).orElse(DmaChoices.NONE),
        policies.flatMap(DomainPolicies::devicePaging));
  }

  private static <T> Optional<T> agreed(String name, Optional<T> member, Optional<T> policy) {
    if (member.isPresent() && policy.isPresent() && !member.equals(policy)) {
      throw InvalidBody.at("/policies/" + name, "the member %s says otherwise", name);
    }
    return member.or(() -> policy);
  }

  /** The policies that follow, with what Xen does where nothing was chosen. */
  MemoryPolicies toPolicies() {
    MemoryPolicies usual = MemoryPolicies.usual();
    DmaPolicy dma =
        new DmaPolicy(
            pageTables.map(MemoryChoices::tables).orElse(usual.dma().tables()),
            leaves.map(MemoryChoices::sizes).orElse(usual.dma().leafSizes()),
            tableFrames.orElse(usual.dma().tableFrames()));
    return new MemoryPolicies(
        granule.map(chosen -> chosen.geometry).orElse(usual.geometry()),
        hooks.map(MemoryChoices::set).or(usual::syncHooks),
        dma,
        flush,
        claims,
        devices,
        devicePaging.orElse(usual.devicePaging()));
  }

  private static DmaPolicy.Tables tables(DomainView.PageTables wanted) {
    return switch (wanted) {
      case SHARED -> DmaPolicy.Tables.SHARED;
      case SEPARATE -> DmaPolicy.Tables.SEPARATE;
    };
  }

  private static Set<PageSize> sizes(List<Leaf> leaves) {
    return leaves.stream().map(leaf -> leaf.size).collect(Collectors.toUnmodifiableSet());
  }

  static Set<SyncHook> set(List<SyncHook> hooks) {
    return hooks.isEmpty() ? EnumSet.noneOf(SyncHook.class) : EnumSet.copyOf(hooks);
  }
}
