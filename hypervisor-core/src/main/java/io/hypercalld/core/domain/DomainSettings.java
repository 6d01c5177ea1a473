package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.p2m.P2mGeometry;
import java.util.UUID;

/**
 * What a domain is created with, checked. Immutable.
 *
 * @param handle any UUID; two domains may have the same
 * @param flags {@link DomainFlag}s
 * @param iommuOpts {@code XEN_DOMCTL_IOMMU_*}
 * @param maxVcpus how many vCPUs it may have
 * @param ssidref security label, kept and reported only
 * @param maxEvtchnPort highest event channel port
 * @param grant limits of its grant table
 * @param altp2m alternative P2M views
 * @param platform emulated devices
 * @param geometry shape of its P2M
 * @param interrupts how messages find its vCPUs
 * @param devicePaging whether it can have a pager beside an IOMMU
 */
public record DomainSettings(
    UUID handle,
    DomainType type,
    long flags,
    long iommuOpts,
    int maxVcpus,
    long ssidref,
    long maxEvtchnPort,
    GrantLimits grant,
    Altp2m altp2m,
    Platform platform,
    P2mGeometry geometry,
    Interrupts interrupts,
    DevicePaging devicePaging)
    implements Digestible {
  /** {@code XEN_DOMCTL_IOMMU_no_sharept}: never share the P2M with the IOMMU. */
  public static final long IOMMU_NO_SHAREPT = 0x1;

  /** Size of the grant table. */
  public record GrantLimits(int maxFrames, int maxMaptrackFrames, int maxVersion) {}

  /** Mode and number of alternative P2Ms. */
  public record Altp2m(int mode, int count) {}

  /** {@code xen_arch_domainconfig}. */
  public record Platform(long emulationFlags, long miscFlags) {}

  /**
   * How messages find its vCPUs.
   *
   * @param extendedDestinations whether they may have destinations of 15 bits
   */
  public record Interrupts(ApicIds apicIds, boolean extendedDestinations) {
    /** As in Xen. */
    public static final Interrupts USUAL = new Interrupts(ApicIds.TWICE, false);
  }

  public boolean has(DomainFlag flag) {
    return flag.isIn(flags);
  }

  /** Whether paging is hardware-assisted. */
  public boolean hasHap() {
    return has(DomainFlag.HAP);
  }

  /** Whether it is to have an IOMMU. */
  public boolean hasIommu() {
    return has(DomainFlag.IOMMU);
  }

  /** Settings for a domain of which only the kind matters. */
  public static DomainSettings of(DomainType type, long flags, int maxVcpus) {
    return new DomainSettings(
        new UUID(0, 0),
        type,
        flags,
        0,
        maxVcpus,
        0,
        1023,
        new GrantLimits(64, 1024, 2),
        new Altp2m(0, 0),
        new Platform(type == DomainType.PVH ? 1 : 0, 0),
        P2mGeometry.GRANULE_4K,
        Interrupts.USUAL,
        DevicePaging.REFUSE);
  }

  /** The same with what the hypercall has no place for. */
  public DomainSettings with(Variation variation) {
    return new DomainSettings(
        handle,
        type,
        flags,
        iommuOpts,
        maxVcpus,
        ssidref,
        maxEvtchnPort,
        grant,
        altp2m,
        platform,
        variation.geometry(),
        new Interrupts(variation.apicIds(), variation.extendedDestinations()),
        variation.devicePaging());
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(handle.getMostSignificantBits())
        .put(handle.getLeastSignificantBits())
        .put(type.name())
        .put(flags)
        .put(iommuOpts)
        .put(maxVcpus)
        .put(ssidref)
        .put(maxEvtchnPort)
        .put(grant.maxFrames())
        .put(grant.maxMaptrackFrames())
        .put(grant.maxVersion())
        .put(altp2m.mode())
        .put(altp2m.count())
        .put(platform.emulationFlags())
        .put(platform.miscFlags())
        .put(geometry.name())
        .put(interrupts.apicIds.name())
        .put(interrupts.extendedDestinations)
        .put(devicePaging.name());
  }
}
