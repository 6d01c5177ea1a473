package io.hypercalld.core.domain;

import io.hypercalld.core.p2m.P2mGeometry;

/**
 * What a domain is to have that the hypercall which creates domains has no place for. Immutable.
 *
 * @param geometry shape of its P2M
 * @param apicIds of its vCPUs
 * @param extendedDestinations whether its messages may have destinations of 15 bits, given that
 *     every device model knows them
 * @param devicePaging whether it can have a pager beside an IOMMU
 * @param mostVcpus how many vCPUs an HVM or PVH domain can have
 */
public record Variation(
    P2mGeometry geometry,
    ApicIds apicIds,
    boolean extendedDestinations,
    DevicePaging devicePaging,
    int mostVcpus) {
  /** None: today's Xen. */
  public static final Variation NONE =
      new Variation(
          P2mGeometry.GRANULE_4K,
          ApicIds.TWICE,
          false,
          DevicePaging.REFUSE,
          VcpuLimit.OF_THE_HYPERCALL);

  /** The same with a P2M of another shape. */
  public Variation with(P2mGeometry shape) {
    return new Variation(shape, apicIds, extendedDestinations, devicePaging, mostVcpus);
  }

  /** The same with another answer to who wants devices and a pager. */
  public Variation with(DevicePaging paging) {
    return new Variation(geometry, apicIds, extendedDestinations, paging, mostVcpus);
  }

  /** The same with another limit of vCPUs. */
  public Variation withMost(int vcpus) {
    return new Variation(geometry, apicIds, extendedDestinations, devicePaging, vcpus);
  }
}
