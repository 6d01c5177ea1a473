package io.hypercalld.iommu.vtd;

import static io.hypercalld.iommu.vtd.DescriptorDecoder.RESERVED_SET;

import io.hypercalld.iommu.pci.SourceId;

/**
 * Reads the descriptors that only scalable mode has. Stateless.
 *
 * @see "VT-d §6.5.2.3 to §6.5.2.7, §7.6"
 */
final class PasidDescriptors {
  private PasidDescriptors() {}

  /** Whether the upper half is software's own. */
  static boolean isPrivate(InvalidationDescriptor descriptor) {
    return InvalidationDescriptor.TYPE.getInt(descriptor.lo())
            == InvalidationDescriptor.PAGE_RESPONSE
        && InvalidationDescriptor.PRIVATE.isSet(descriptor.lo());
  }

  static Invalidation decode(
      int type, InvalidationDescriptor descriptor, Capabilities capabilities) {
    return switch (type) {
      case InvalidationDescriptor.PASID_IOTLB -> translations(descriptor, capabilities);
      case InvalidationDescriptor.PASID_CACHE -> entries(descriptor);
      case InvalidationDescriptor.PASID_DEVICE_TLB -> deviceTranslations(descriptor);
      default -> response(descriptor);
    };
  }

  private static Invalidation translations(
      InvalidationDescriptor descriptor, Capabilities capabilities) {
    int addressMask = InvalidationDescriptor.AM.getInt(descriptor.hi());
    if (DescriptorDecoder.hasReservedBits(
        descriptor, InvalidationDescriptor.PASID_LO, InvalidationDescriptor.IOTLB_HI)) {
      return RESERVED_SET;
    }
    int domainId = InvalidationDescriptor.DID.getInt(descriptor.lo());
    int pasid = InvalidationDescriptor.PASID.getInt(descriptor.lo());
    return switch (InvalidationGranularity.of(InvalidationDescriptor.G.getInt(descriptor.lo()))) {
      case NONE, GLOBAL -> RESERVED_SET;
      case DOMAIN -> new Invalidation.PasidTranslations(domainId, pasid);
      case SELECTIVE ->
          addressMask > capabilities.maximumAddressMask()
              ? RESERVED_SET
              : new Invalidation.PasidPageTranslations(
                  domainId,
                  pasid,
                  InvalidationDescriptor.ADDR.inPlace(descriptor.hi()),
                  addressMask,
                  InvalidationDescriptor.IH.isSet(descriptor.hi()));
    };
  }

  private static Invalidation entries(InvalidationDescriptor descriptor) {
    if (DescriptorDecoder.hasReservedBits(
        descriptor, InvalidationDescriptor.PASID_LO, InvalidationDescriptor.RESERVED_HI)) {
      return RESERVED_SET;
    }
    int domainId = InvalidationDescriptor.DID.getInt(descriptor.lo());
    int pasid = InvalidationDescriptor.PASID.getInt(descriptor.lo());
    return switch (InvalidationDescriptor.G.getInt(descriptor.lo())) {
      case 0 -> new Invalidation.DomainPasids(domainId);
      case 1 -> new Invalidation.SinglePasid(domainId, pasid);
      case 3 -> new Invalidation.AllPasids();
      default -> RESERVED_SET;
    };
  }

  private static Invalidation deviceTranslations(InvalidationDescriptor descriptor) {
    if (DescriptorDecoder.hasReservedBits(
        descriptor,
        InvalidationDescriptor.PASID_DEVICE_TLB_LO,
        InvalidationDescriptor.PASID_DEVICE_TLB_HI)) {
      return RESERVED_SET;
    }
    boolean sized = InvalidationDescriptor.PASID_DEVICE_S.isSet(descriptor.hi());
    return DescriptorDecoder.deviceTranslations(
        device(descriptor),
        PasidPrefix.of(InvalidationDescriptor.PASID.getInt(descriptor.lo())),
        InvalidationDescriptor.EVERY_PASID.isSet(descriptor.hi()),
        DescriptorDecoder.PageRange.of(descriptor.hi(), sized));
  }

  private static Invalidation response(InvalidationDescriptor descriptor) {
    if (DescriptorDecoder.hasReservedBits(
        descriptor, InvalidationDescriptor.RESPONSE_LO, InvalidationDescriptor.RESPONSE_HI)) {
      return RESERVED_SET;
    }
    boolean present = InvalidationDescriptor.PASID_PRESENT.isSet(descriptor.lo());
    return new Invalidation.PageGroupResponse(
        device(descriptor),
        present
            ? PasidPrefix.of(InvalidationDescriptor.PASID.getInt(descriptor.lo()))
            : PasidPrefix.NONE,
        InvalidationDescriptor.PRGI.getInt(descriptor.hi()),
        InvalidationDescriptor.RESPONSE.getInt(descriptor.lo()));
  }

  private static SourceId device(InvalidationDescriptor descriptor) {
    return new SourceId(InvalidationDescriptor.PASID_DEVICE_SID.getInt(descriptor.lo()));
  }
}
