package io.hypercalld.iommu.vtd;

import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.Optional;

/**
 * Reads an invalidation descriptor as hardware does: its type, its reserved bits, then its fields.
 * Stateless.
 *
 * @see "VT-d §6.5.2.10"
 */
final class DescriptorDecoder {
  static final Invalidation RESERVED_SET =
      new Invalidation.Malformed(QueueError.DESCRIPTOR_RESERVED);

  private DescriptorDecoder() {}

  static Invalidation decode(InvalidationDescriptor descriptor, QueueMode mode) {
    int type = InvalidationDescriptor.TYPE.getInt(descriptor.lo());
    Optional<QueueError> misplaced = misplaced(type, mode);
    if (misplaced.isPresent()) {
      return new Invalidation.Malformed(misplaced.get());
    }
    if ((descriptor.more() | descriptor.most()) != 0 && !PasidDescriptors.isPrivate(descriptor)) {
      return RESERVED_SET;
    }
    Capabilities capabilities = mode.capabilities();
    return switch (type) {
      case InvalidationDescriptor.CONTEXT -> context(descriptor);
      case InvalidationDescriptor.IOTLB -> translations(descriptor, capabilities);
      case InvalidationDescriptor.DEVICE_TLB -> deviceTranslations(descriptor);
      case InvalidationDescriptor.INTERRUPT -> interrupts(descriptor, capabilities);
      case InvalidationDescriptor.WAIT -> waiting(descriptor, capabilities);
      default -> PasidDescriptors.decode(type, descriptor, capabilities);
    };
  }

  /** Why no descriptor of this type may be here, whatever is in it. */
  private static Optional<QueueError> misplaced(int type, QueueMode mode) {
    Capabilities capabilities = mode.capabilities();
    boolean known =
        switch (type) {
          case InvalidationDescriptor.WAIT -> true;
          case InvalidationDescriptor.CONTEXT, InvalidationDescriptor.IOTLB -> mode.translating();
          case InvalidationDescriptor.DEVICE_TLB -> capabilities.deviceTlbs();
          case InvalidationDescriptor.INTERRUPT -> capabilities.interruptRemapping();
          case InvalidationDescriptor.PASID_IOTLB, InvalidationDescriptor.PASID_CACHE ->
              capabilities.scalableMode();
          case InvalidationDescriptor.PASID_DEVICE_TLB ->
              capabilities.scalableMode() && capabilities.deviceTlbs();
          case InvalidationDescriptor.PAGE_RESPONSE ->
              capabilities.scalableMode() && capabilities.pageRequests();
          default -> false;
        };
    if (!known) {
      return Optional.of(QueueError.DESCRIPTOR_TYPE_INVALID);
    }
    if (type < InvalidationDescriptor.PASID_IOTLB) {
      return Optional.empty();
    }
    if (!mode.wide()) {
      return Optional.of(QueueError.DESCRIPTOR_WIDTH_INVALID);
    }
    return mode.scalable() ? Optional.empty() : Optional.of(QueueError.TABLE_MODE_INVALID);
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

  private static Invalidation deviceTranslations(InvalidationDescriptor descriptor) {
    if (hasReservedBits(
        descriptor, InvalidationDescriptor.DEVICE_TLB_LO, InvalidationDescriptor.DEVICE_TLB_HI)) {
      return RESERVED_SET;
    }
    boolean sized = InvalidationDescriptor.S.isSet(descriptor.hi());
    return deviceTranslations(
        new SourceId(InvalidationDescriptor.DEVICE_SID.getInt(descriptor.lo())),
        PasidPrefix.NONE,
        false,
        PageRange.of(descriptor.hi(), sized));
  }

  static Invalidation deviceTranslations(
      SourceId device, PasidPrefix prefix, boolean everyPasid, PageRange range) {
    return new Invalidation.DeviceTranslations(
        device, prefix, everyPasid, range.iova(), range.addressMask());
  }

  /** The pages that a device-TLB descriptor means: the size is coded in the address. */
  record PageRange(long iova, int addressMask) {
    private static final int EVERYTHING = 52;

    static PageRange of(long hi, boolean sized) {
      long page = InvalidationDescriptor.ADDR.get(hi);
      if (!sized) {
        return new PageRange(InvalidationDescriptor.ADDR.inPlace(hi), 0);
      }
      int addressMask = Math.min(Long.numberOfTrailingZeros(~page) + 1, EVERYTHING);
      long first = page & -1L << addressMask;
      return new PageRange(first << InvalidationDescriptor.ADDR.lsb(), addressMask);
    }
  }

  private static InvalidationGranularity granularity(long lo) {
    return InvalidationGranularity.of(InvalidationDescriptor.G.getInt(lo));
  }

  static boolean hasReservedBits(InvalidationDescriptor descriptor, WordLayout lo, WordLayout hi) {
    return lo.hasReservedBits(descriptor.lo()) || hi.hasReservedBits(descriptor.hi());
  }
}
