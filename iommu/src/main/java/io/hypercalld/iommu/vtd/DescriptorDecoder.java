package io.hypercalld.iommu.vtd;

import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;

/**
 * Reads an invalidation descriptor as hardware does: its type, its reserved bits, then its fields.
 * Stateless.
 *
 * @see "VT-d §6.5.2.10"
 */
final class DescriptorDecoder {
  private static final Invalidation RESERVED_SET =
      new Invalidation.Malformed(QueueError.DESCRIPTOR_RESERVED);

  private DescriptorDecoder() {}

  static Invalidation decode(InvalidationDescriptor descriptor, Capabilities capabilities) {
    return switch (InvalidationDescriptor.TYPE.getInt(descriptor.lo())) {
      case InvalidationDescriptor.CONTEXT -> context(descriptor);
      case InvalidationDescriptor.IOTLB -> translations(descriptor, capabilities);
      case InvalidationDescriptor.WAIT -> waiting(descriptor, capabilities);
      case InvalidationDescriptor.INTERRUPT -> interrupts(descriptor, capabilities);
      default -> new Invalidation.Malformed(QueueError.DESCRIPTOR_TYPE_INVALID);
    };
  }

  private static Invalidation context(InvalidationDescriptor descriptor) {
    if (hasReservedBits(
        descriptor, InvalidationDescriptor.CONTEXT_LO, InvalidationDescriptor.RESERVED_HI)) {
      return RESERVED_SET;
    }
    long lo = descriptor.lo();
    int domainId = InvalidationDescriptor.DID.getInt(lo);
    return switch (granularity(lo)) {
      case NONE -> RESERVED_SET;
      case GLOBAL -> new Invalidation.AllContexts();
      case DOMAIN -> new Invalidation.DomainContexts(domainId);
      case SELECTIVE ->
          new Invalidation.DeviceContexts(
              domainId,
              new SourceId(InvalidationDescriptor.CONTEXT_SID.getInt(lo)),
              InvalidationDescriptor.FM.getInt(lo));
    };
  }

  private static Invalidation translations(
      InvalidationDescriptor descriptor, Capabilities capabilities) {
    if (hasReservedBits(
        descriptor, InvalidationDescriptor.IOTLB_LO, InvalidationDescriptor.IOTLB_HI)) {
      return RESERVED_SET;
    }
    int domainId = InvalidationDescriptor.DID.getInt(descriptor.lo());
    return switch (granularity(descriptor.lo())) {
      case NONE -> RESERVED_SET;
      case GLOBAL -> new Invalidation.AllTranslations();
      case DOMAIN -> new Invalidation.DomainTranslations(domainId);
      case SELECTIVE -> pages(descriptor, capabilities);
    };
  }

  private static Invalidation pages(InvalidationDescriptor descriptor, Capabilities capabilities) {
    long hi = descriptor.hi();
    int addressMask = InvalidationDescriptor.AM.getInt(hi);
    if (!capabilities.pageSelectiveInvalidation()
        || addressMask > capabilities.maximumAddressMask()) {
      return RESERVED_SET;
    }
    return new Invalidation.PageTranslations(
        InvalidationDescriptor.DID.getInt(descriptor.lo()),
        InvalidationDescriptor.ADDR.inPlace(hi),
        addressMask,
        InvalidationDescriptor.IH.isSet(hi));
  }

  private static Invalidation interrupts(
      InvalidationDescriptor descriptor, Capabilities capabilities) {
    long lo = descriptor.lo();
    int ignoredBits = InvalidationDescriptor.IM.getInt(lo);
    boolean selective = InvalidationDescriptor.INDEX_SELECTIVE.isSet(lo);
    if (!capabilities.interruptRemapping()) {
      return new Invalidation.Malformed(QueueError.DESCRIPTOR_TYPE_INVALID);
    }
    if (hasReservedBits(
            descriptor, InvalidationDescriptor.INTERRUPT_LO, InvalidationDescriptor.RESERVED_HI)
        || (selective && ignoredBits > capabilities.maximumHandleMask())) {
      return RESERVED_SET;
    }
    return selective
        ? new Invalidation.Interrupts(InvalidationDescriptor.IIDX.getInt(lo), ignoredBits)
        : new Invalidation.AllInterrupts();
  }

  private static Invalidation waiting(
      InvalidationDescriptor descriptor, Capabilities capabilities) {
    long lo = descriptor.lo();
    boolean drainsPageRequests = InvalidationDescriptor.PD.isSet(lo);
    if (hasReservedBits(descriptor, InvalidationDescriptor.WAIT_LO, InvalidationDescriptor.WAIT_HI)
        || (drainsPageRequests && !capabilities.pageRequests())) {
      return RESERVED_SET;
    }
    return new Invalidation.Wait(
        InvalidationDescriptor.IF.isSet(lo),
        InvalidationDescriptor.SW.isSet(lo),
        (int) InvalidationDescriptor.STDATA.get(lo),
        InvalidationDescriptor.STADDR.inPlace(descriptor.hi()));
  }

  private static InvalidationGranularity granularity(long lo) {
    return InvalidationGranularity.of(InvalidationDescriptor.G.getInt(lo));
  }

  private static boolean hasReservedBits(
      InvalidationDescriptor descriptor, WordLayout lo, WordLayout hi) {
    return lo.hasReservedBits(descriptor.lo()) || hi.hasReservedBits(descriptor.hi());
  }
}
