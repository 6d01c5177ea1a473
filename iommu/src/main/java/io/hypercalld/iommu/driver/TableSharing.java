package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.P2mGeometry;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Whether the devices of domains can go through the P2M itself on this host, and why not.
 * Immutable.
 *
 * <p>One unit that does not understand every leaf that a P2M may have is enough to rule it out for
 * all domains, since any device may be given to any of them.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, vtd_ept_page_compatible"
 */
public final class TableSharing {
  private static final long PHYSCAP_HVM = 1 << 0;
  private static final long PHYSCAP_PV = 1 << 1;
  private static final long PHYSCAP_DIRECTIO = 1 << 2;
  private static final long PHYSCAP_HAP = 1 << 3;
  private static final long PHYSCAP_IOMMU_HAP_PT_SHARE = 1 << 5;

  private final List<UnitDriver> units;
  private final Optional<String> obstacle;

  TableSharing(List<UnitDriver> units) {
    this.units = units;
    this.obstacle =
        units.isEmpty()
            ? Optional.of("there is no iommu")
            : units.stream().flatMap(TableSharing::missingLeaves).findFirst();
  }

  private static java.util.stream.Stream<String> missingLeaves(UnitDriver unit) {
    return Arrays.stream(PageSize.values())
        .filter(size -> !unit.capabilities().supports(size))
        .map(size -> "iommu %d has no leaves of %d bytes".formatted(unit.index(), size.bytes()));
  }

  /** Why no domain's P2M can be shared; empty where those of x86's shape can. */
  public Optional<String> whyNot() {
    return obstacle;
  }

  /** Why a P2M of this shape cannot be shared; empty where it can. */
  public Optional<String> whyNot(P2mGeometry geometry) {
    if (geometry == P2mGeometry.GRANULE_4K) {
      return obstacle;
    }
    return Optional.of(
        "the P2M has pages of %d bytes, and a VT-d table has pages of %d"
            .formatted(geometry.tableBytes(), P2mGeometry.GRANULE_4K.tableBytes()));
  }

  /** Why the domain's P2M cannot be shared; empty where it can. */
  Optional<String> whyNot(Domain domain) {
    if (!domain.type().isTranslated() || !domain.settings().hasHap()) {
      return Optional.of(domain.id() + " has no P2M in hardware");
    }
    return whyNot(domain.settings().geometry());
  }

  /** Whether the domain's devices go through its P2M if nobody insists on anything. */
  boolean isUsual(Domain domain) {
    boolean optedOut = (domain.settings().iommuOpts() & DomainSettings.IOMMU_NO_SHAREPT) != 0;
    return !domain.isHardwareDomain() && !optedOut && whyNot(domain).isEmpty();
  }

  /**
   * What becomes of a wish for a domain of the type.
   *
   * @throws Refusal EOPNOTSUPP where the P2M is to be shared and cannot, or there is no unit
   */
  public Passthrough resolve(Passthrough wish, DomainType type) {
    boolean shareable = type.isTranslated() && obstacle.isEmpty();
    return switch (wish) {
      case DISABLED -> Passthrough.DISABLED;
      case ENABLED -> requireUnits(shareable ? Passthrough.SHARE_PT : Passthrough.SYNC_PT);
      case SYNC_PT -> requireUnits(Passthrough.SYNC_PT);
      case SHARE_PT -> {
        if (!shareable) {
          throw Refusal.of(
              Errno.EOPNOTSUPP,
              "share_pt is not to be had: %s",
              type.isTranslated() ? obstacle.orElseThrow() : "a PV domain has no P2M");
        }
        yield Passthrough.SHARE_PT;
      }
    };
  }

  /**
   * What {@link Passthrough#ENABLED} comes to for a domain of the type, or would, without units.
   */
  public Passthrough usualFor(DomainType type) {
    return units.isEmpty() ? Passthrough.DISABLED : resolve(Passthrough.ENABLED, type);
  }

  private Passthrough requireUnits(Passthrough resolved) {
    if (units.isEmpty()) {
      throw Refusal.of(Errno.EOPNOTSUPP, "there is no iommu");
    }
    return resolved;
  }

  /**
   * What the host can do, as {@code XEN_SYSCTL_PHYSCAP_*} bits.
   *
   * @see "Xen XEN_SYSCTL_physinfo"
   */
  public long physicalCapabilities() {
    long always = PHYSCAP_HVM | PHYSCAP_PV | PHYSCAP_HAP;
    long directIo = units.isEmpty() ? 0 : PHYSCAP_DIRECTIO;
    return always | directIo | (obstacle.isEmpty() ? PHYSCAP_IOMMU_HAP_PT_SHARE : 0);
  }
}
