package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.PageSize;

/**
 * A request on a domain's reservation, checked. Immutable.
 *
 * @param count how many extents are wanted; the list may be shorter
 * @param order log2 of the frames of each
 * @param end first frame number too high for the guest
 * @see "xen/common/memory.c, construct_memop_from_reservation"
 */
record Extents(GuestFrames frames, long count, int order, long end) {
  static final BitField ADDRESS_BITS = BitField.bits("address_bits", 7, 0);
  static final BitField NODE = BitField.bits("node", 15, 8);
  static final BitField POPULATE_ON_DEMAND = BitField.bit("populate_on_demand", 16);
  static final BitField VNODE = BitField.bit("vnode", 18);

  /** {@code UINT_MAX >> MEMOP_EXTENT_SHIFT}. */
  static final long MAX_COUNT = 0xffff_ffffL >> 6;

  private static final int MAX_ORDER = 18;
  private static final int DEVICE_OWNER_MAX_ORDER = 12;
  private static final int GUEST_MAX_ORDER = 9;

  /**
   * Checks a request.
   *
   * @throws Refusal EINVAL; callers answer that nothing is done instead
   */
  static Extents of(ReservationRequest request, Domain caller, FrameAllocator allocator) {
    long count = request.wanted();
    if (Long.compareUnsigned(count, MAX_COUNT) > 0
        || Long.compareUnsigned(request.startExtent(), count) >= 0) {
      throw Refusal.of(Errno.EINVAL, "none left, or more than %d extents", MAX_COUNT);
    }
    boolean later =
        request instanceof PopulatePhysmap && POPULATE_ON_DEMAND.isSet(request.memFlags().value());
    int maxOrder = later ? MAX_ORDER : maxOrder(caller);
    if (Long.compareUnsigned(request.extentOrder(), maxOrder) > 0) {
      throw Refusal.of(Errno.EINVAL, "extents of more than 2^%d frames", maxOrder);
    }
    long end = highestFrame(request.memFlags().value(), allocator);
    return new Extents(request.extentStart(), count, (int) request.extentOrder(), end);
  }

  /** log2 of the frames of the largest extent that a caller may ask for. */
  static int maxOrder(Domain caller) {
    if (caller.isControlDomain()) {
      return MAX_ORDER;
    }
    return caller.isHardwareDomain() || caller.hasIoCapabilities()
        ? DEVICE_OWNER_MAX_ORDER
        : GUEST_MAX_ORDER;
  }

  static long highestFrame(long flags, FrameAllocator allocator) {
    if (VNODE.isSet(flags) || NODE.get(flags) > 1) {
      throw Refusal.of(Errno.EINVAL, "the machine has one memory node, the domain none");
    }
    int bits = ADDRESS_BITS.getInt(flags);
    long frames = allocator.memory().map().highTop() >>> PageSize.SHIFT_4K;
    int width = Long.SIZE - Long.numberOfLeadingZeros(frames - 1) + PageSize.SHIFT_4K;
    if (bits == 0 || bits >= width) {
      return Long.MAX_VALUE;
    }
    if (bits <= PageSize.SHIFT_4K) {
      throw Refusal.of(Errno.EINVAL, "no frame has an address of %d bits", bits);
    }
    return 1L << (bits - PageSize.SHIFT_4K);
  }

  /**
   * Refuses a continuation of what never is preempted.
   *
   * @throws Refusal EINVAL
   */
  static void requireSingleShot(long startExtent) {
    if (startExtent != 0) {
      throw Refusal.of(Errno.EINVAL, "start_extent %d where there are no extents", startExtent);
    }
  }

  /** Whether each is a page of a size that there is. */
  boolean isOfOneSize() {
    return order % PageSize.SIZE_2M.order() == 0;
  }

  /** The largest page that each has room for. */
  PageSize size() {
    return PageSize.ofLevel(1 + order / PageSize.SIZE_2M.order());
  }

  /** Extents that the caller's list really has, of those wanted. */
  long listed() {
    return frames.count() < 0 ? count : Math.min(count, frames.count());
  }
}
