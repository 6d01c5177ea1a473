package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.List;
import java.util.Optional;

/**
 * Pages of a guest that a pager keeps elsewhere. Confined to the machine thread.
 *
 * <p>A page goes by way of ram_paging_out to ram_paged, and comes back by way of ram_paging_in. On
 * any of these types the guest faults, and the pager is asked for the page.
 *
 * @see "xen/arch/x86/mm/mem_paging.c and p2m.c, p2m_mem_paging_populate"
 */
public final class MemoryPaging implements Digestible {
  private final Domain domain;
  private final P2mTable p2m;
  private final FrameAllocator allocator;
  private final FrameTable frames;
  private final VmEvents events;
  private long pagedPages;

  MemoryPaging(Domain domain, FrameAllocator allocator, VmEvents events) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.allocator = allocator;
    this.frames = allocator.frames();
    this.events = events;
  }

  /** Whether a pager listens. */
  public boolean isEnabled() {
    return ring().isEnabled();
  }

  /** Whether a pager listens that no device may be given beside. */
  boolean excludesDevices() {
    return isEnabled() && domain.settings().devicePaging() == DevicePaging.REFUSE;
  }

  private VmEventRing ring() {
    return events.ring(VmEventRing.Kind.PAGING);
  }

  /** Guest frames whose contents only the pager has. */
  public long pagedPages() {
    return pagedPages;
  }

  /**
   * Announces that a page will be evicted, so that the pager can copy it while nobody writes.
   *
   * @throws Refusal EBUSY where it is no plain RAM of the domain's, or others refer to its frame
   */
  public void nominate(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    if (!P2mType.PAGEABLE.contains(found.type()) || !isUnused(found.mfn())) {
      throw busy(gfn, found);
    }
    retype(gfn, found, P2mType.RAM_PAGING_OUT);
  }

  /**
   * Takes the frame of a nominated page away.
   *
   * @throws Refusal EBUSY where it is not nominated any more, or others refer to its frame
   */
  public void evict(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() != P2mType.RAM_PAGING_OUT || !isUnused(found.mfn())) {
      throw busy(gfn, found);
    }
    set(gfn, Mfn.INVALID, found, P2mType.RAM_PAGED);
    domain.reservation().release(found.mfn().value());
    pagedPages++;
  }

  private Refusal busy(Gfn gfn, P2mLookup found) {
    return Refusal.of(
        Errno.EBUSY,
        "guest frame %s of %s is %s, or its frame is in use",
        gfn,
        domain.id(),
        found.type());
  }

  /** Whether nobody but the domain's P2M knows the frame. */
  private boolean isUnused(Mfn mfn) {
    long frame = mfn.value();
    return frames.contains(frame)
        && frames.owner(frame) == domain.id().value()
        && frames.use(frame) == FrameUse.GUEST_RAM
        && frames.isAllocated(frame)
        && frames.references(frame) == 1
        && frames.typeReferences(frame) == 0;
  }

  /**
   * Makes a page the guest's again: as it was, or with the contents that the pager kept.
   *
   * @param contents a page's bytes, needed where the page has no frame
   * @throws Refusal ENOENT where it is neither paged nor on its way back; EINVAL without contents;
   *     ENOMEM. Nothing changed
   */
  public void prepare(Gfn gfn, Optional<byte[]> contents) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() != P2mType.RAM_PAGING_IN && found.type() != P2mType.RAM_PAGED) {
      throw Refusal.of(Errno.ENOENT, "guest frame %s of %s is %s", gfn, domain.id(), found.type());
    }
    if (found.mfn().isValid()) {
      bringBack(gfn, found.mfn(), found);
      return;
    }
    byte[] bytes =
        contents.orElseThrow(
            () -> Refusal.of(Errno.EINVAL, "guest frame %s has no frame, nor contents", gfn));
    Mfn mfn = allocate();
    try {
      bringBack(gfn, mfn, found);
    } catch (Refusal refusal) {
      domain.reservation().release(mfn.value());
      throw refusal;
    }
    allocator.memory().write(mfn.maddr(), bytes, 0, bytes.length);
    pagedPages--;
  }

  private Mfn allocate() {
    try {
      return new Mfn(domain.reservation().allocate(0, Long.MAX_VALUE));
    } catch (Refusal refusal) {
      throw Refusal.of(Errno.ENOMEM, "%s", refusal.reason());
    }
  }

  /** The pager is done: a page that has its frame is the guest's again. */
  void resume(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    if (found.type() == P2mType.RAM_PAGING_IN && found.mfn().isValid()) {
      bringBack(gfn, found.mfn(), found);
    }
  }

  private void bringBack(Gfn gfn, Mfn mfn, P2mLookup found) {
    boolean logged = domain.logDirty().isEnabled();
    set(gfn, mfn, found, logged ? P2mType.RAM_LOGDIRTY : P2mType.RAM_RW);
    frames.setM2p(mfn.value(), 0, gfn.value());
  }

  /**
   * A vCPU touched a guest frame that is being paged out or is: asks the pager for it and pauses
   * the vCPU until it answers. Without a pager the domain crashes.
   *
   * @return whether the vCPU waits now; otherwise it is to try again
   */
  public boolean fault(Gfn gfn, int vcpu) {
    P2mLookup found = p2m.lookup(gfn);
    boolean going = found.type() == P2mType.RAM_PAGING_OUT;
    if (!going && found.type() != P2mType.RAM_PAGED) {
      return false;
    }
    if (!isEnabled()) {
      domain.crash("vCPU %d touched paged guest frame %s, and no pager".formatted(vcpu, gfn));
      return false;
    }
    if (!ring().hasRoom()) {
      return false;
    }
    retype(gfn, found, P2mType.RAM_PAGING_IN);
    List<VmEvent.Flag> flags = going ? List.of(VmEvent.Flag.EVICT_FAIL) : List.of();
    events.tellAndPause(
        VmEventRing.Kind.PAGING, vcpu, new VmEvents.Subject(gfn, 0, found.type(), flags));
    return true;
  }

  /** Somebody else than the guest needs a page: as {@link #fault}, and nobody waits for it. */
  public void request(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    boolean going = found.type() == P2mType.RAM_PAGING_OUT;
    if ((!going && found.type() != P2mType.RAM_PAGED) || !isEnabled() || !ring().hasRoom()) {
      return;
    }
    retype(gfn, found, P2mType.RAM_PAGING_IN);
    List<VmEvent.Flag> flags = going ? List.of(VmEvent.Flag.EVICT_FAIL) : List.of();
    events.tell(VmEventRing.Kind.PAGING, 0, new VmEvents.Subject(gfn, 0, found.type(), flags));
  }

  /** Guest frames without a frame were mapped over. */
  public void overwritten(long pages) {
    pagedPages -= pages;
  }

  private void retype(Gfn gfn, P2mLookup found, P2mType type) {
    set(gfn, found.mfn(), found, type);
  }

  private void set(Gfn gfn, Mfn mfn, P2mLookup found, P2mType type) {
    p2m.during(
        SyncHook.PAGE_IN_OUT, () -> p2m.set(gfn, mfn, PageSize.SIZE_4K, type, found.access()));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("memory-paging").put(pagedPages);
  }
}
