package io.hypercalld.core.domain;

import io.hypercalld.core.domain.SharedFrames.Sharer;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.Optional;

/**
 * Gives a domain frames of its own where it writes shared ones. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/mem_sharing.c, __mem_sharing_unshare_page"
 */
final class Unsharing {
  private final Domain domain;
  private final P2mTable p2m;
  private final FrameAllocator allocator;
  private final SharedFrames shared;
  private final VmEvents events;

  Unsharing(Domain domain, FrameAllocator allocator, SharedFrames shared, VmEvents events) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.allocator = allocator;
    this.shared = shared;
    this.events = events;
  }

  /**
   * Has a guest frame map a copy, or the shared frame itself where nobody else maps it.
   *
   * @param sharer the same guest frame
   * @throws Refusal ENOMEM; nothing changed
   */
  void unshare(Gfn gfn, Sharer sharer) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() != P2mType.RAM_SHARED) {
      return;
    }
    Mfn mfn = found.mfn();
    if (shared.isOnly(mfn, sharer)) {
      shared.makePrivate(mfn, sharer);
      domain.reservation().adopt(mfn.value());
    } else {
      mfn = copyOf(mfn);
      shared.leave(found.mfn(), sharer);
    }
    p2m.set(gfn, mfn, PageSize.SIZE_4K, P2mType.RAM_RW);
    allocator.frames().setM2p(mfn.value(), 0, gfn.value());
    domain.logDirty().markDirty(gfn);
  }

  private Mfn copyOf(Mfn original) {
    Mfn copy;
    try {
      copy = new Mfn(domain.reservation().allocate(0, Long.MAX_VALUE));
    } catch (Refusal refusal) {
      throw Refusal.of(Errno.ENOMEM, "%s", refusal.reason());
    }
    if (!allocator.memory().isZero(original)) {
      byte[] page = new byte[PageSize.BYTES_4K];
      allocator.memory().read(original.maddr(), page, 0, page.length);
      allocator.memory().write(copy.maddr(), page, 0, page.length);
    }
    return copy;
  }

  /** Tells whoever listens that there is no memory; answers whether anybody was told. */
  boolean starve(Gfn gfn, Optional<Integer> vcpu) {
    VmEventRing ring = events.ring(VmEventRing.Kind.SHARING);
    if (!ring.isEnabled() || !ring.hasRoom()) {
      return false;
    }
    var subject = new VmEvents.Subject(gfn, 0, P2mType.RAM_SHARED, List.of());
    if (vcpu.isPresent()) {
      events.tellAndPause(VmEventRing.Kind.SHARING, vcpu.get(), subject);
    } else {
      events.tell(VmEventRing.Kind.SHARING, 0, subject);
    }
    return true;
  }
}
