package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.SharedFrames.Sharer;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mRun;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.Optional;

/**
 * A domain's part in sharing frames of equal contents. Confined to the machine thread.
 *
 * <p>Nobody compares contents here: whoever has two frames shared says that they are equal.
 *
 * @see "xen/arch/x86/mm/mem_sharing.c"
 */
public final class MemorySharing implements Digestible {
  /** {@code XENMEM_SHARING_OP_S_HANDLE_INVALID}, which has the number of ECHILD. */
  private static final Errno SOURCE_HANDLE_INVALID = Errno.ECHILD;

  /** {@code XENMEM_SHARING_OP_C_HANDLE_INVALID}, which has the number of EBADF. */
  private static final Errno CLIENT_HANDLE_INVALID = Errno.EBADF;

  private static final int PAGES_PER_STEP = 256;

  private final Domain domain;
  private final P2mTable p2m;
  private final FrameTable frames;
  private final SharedFrames shared;
  private final Unsharing unsharing;
  private boolean enabled;

  MemorySharing(Domain domain, FrameAllocator allocator, SharedFrames shared, VmEvents events) {
    this.domain = domain;
    this.p2m = domain.p2m();
    this.frames = allocator.frames();
    this.shared = shared;
    this.unsharing = new Unsharing(domain, allocator, shared, events);
  }

  /** Whether sharing was ever asked for. */
  public boolean isEnabled() {
    return enabled;
  }

  /**
   * Allows sharing; no effect where it is allowed.
   *
   * @throws Refusal ENODEV without hardware-assisted paging; EXDEV with an IOMMU; EOPNOTSUPP with a
   *     P2M that has no pages of 4 KiB
   */
  public void enable() {
    if (!domain.settings().hasHap()) {
      throw Refusal.of(Errno.ENODEV, "%s has no hardware-assisted paging", domain.id());
    }
    if (domain.settings().hasIommu()) {
      throw Refusal.of(Errno.EXDEV, "devices may reach the memory of %s", domain.id());
    }
    if (p2m.settings().geometry() != P2mGeometry.GRANULE_4K) {
      throw Refusal.of(Errno.EOPNOTSUPP, "the P2M of %s has no pages of 4 KiB", domain.id());
    }
    enabled = true;
  }

  /** Guest frames of the domain's that map a shared frame. */
  public long sharedPages() {
    return p2m.entries(P2mType.RAM_SHARED);
  }

  /** What a page is called by those who share: where it is, and the handle of what it holds. */
  public record Page(Gfn gfn, long handle) {}

  /**
   * Makes a page one that others may share.
   *
   * @return its handle; that which it has, where it is shared already
   * @throws Refusal EINVAL no page, not plain RAM, a page of the hypervisor's, or one used as
   *     something else; EBUSY the domain is dying; E2BIG others refer to its frame; ENOMEM no page
   *     to split a larger leaf
   */
  public long nominate(Gfn gfn) {
    P2mLookup found = p2m.lookup(gfn);
    Mfn mfn = found.mfn();
    if (found.type() == P2mType.RAM_SHARED) {
      return shared.handle(mfn).orElseThrow();
    }
    requireShareable(gfn, found);
    p2m.changeType(gfn, found.type(), P2mType.RAM_SHARED);
    domain.reservation().disown(mfn.value());
    return shared.share(mfn, sharer(gfn));
  }

  private void requireShareable(Gfn gfn, P2mLookup found) {
    long mfn = found.mfn().value();
    boolean page = frames.contains(mfn) && !frames.isSpecial(mfn);
    if (!P2mType.SHARABLE.contains(found.type()) || !page) {
      throw Refusal.of(Errno.EINVAL, "guest frame %s of %s is %s", gfn, domain.id(), found.type());
    }
    if (domain.isDying()) {
      throw Refusal.of(Errno.EBUSY, "%s is dying", domain.id());
    }
    boolean own = frames.owner(mfn) == domain.id().value();
    boolean other = frames.typeReferences(mfn) > 0 && frames.type(mfn) != FrameType.SHARED;
    if (!own || other) {
      throw Refusal.of(Errno.EINVAL, "frame %s is used as something else", found.mfn());
    }
    if (frames.references(mfn) != 1 || !frames.isAllocated(mfn)) {
      throw Refusal.of(Errno.E2BIG, "others refer to frame %s", found.mfn());
    }
  }

  /**
   * Has what maps a client's page map one of this domain's instead; the client's frame is freed. No
   * effect where they map the same frame.
   *
   * @throws Refusal ECHILD (source handle invalid) or EBADF (client handle invalid) where a page is
   *     not shared, or not what the handle says
   */
  public void share(Page source, MemorySharing client, Page target) {
    Mfn from = p2m.lookup(source.gfn).mfn();
    Mfn to = client.p2m.lookup(target.gfn).mfn();
    if (from.equals(to)) {
      return;
    }
    // Xen locks the lower frame first, and so judges it first.
    if (Long.compareUnsigned(from.value(), to.value()) < 0) {
      requireShared(from, SOURCE_HANDLE_INVALID);
      requireShared(to, CLIENT_HANDLE_INVALID);
    } else {
      requireShared(to, CLIENT_HANDLE_INVALID);
      requireShared(from, SOURCE_HANDLE_INVALID);
    }
    requireHandle(from, source.handle, SOURCE_HANDLE_INVALID);
    requireHandle(to, target.handle, CLIENT_HANDLE_INVALID);
    for (Sharer sharer : shared.sharers(to)) {
      shared.join(from, sharer);
      domain.peer(sharer.domain()).features().sharing().remap(new Gfn(sharer.gfn()), from);
      shared.leave(to, sharer);
    }
  }

  private void requireShared(Mfn mfn, Errno otherwise) {
    if (shared.handle(mfn).isEmpty()) {
      throw Refusal.of(otherwise, "frame %s is not shared", mfn);
    }
  }

  private void requireHandle(Mfn mfn, long handle, Errno otherwise) {
    if (shared.handle(mfn).orElseThrow() != handle) {
      throw Refusal.of(otherwise, "frame %s has another handle than %d", mfn, handle);
    }
  }

  private void remap(Gfn gfn, Mfn mfn) {
    p2m.set(gfn, mfn, PageSize.SIZE_4K, P2mType.RAM_SHARED);
  }

  /**
   * Maps a shared page of this domain's at a guest frame of another's that maps nothing.
   *
   * @throws Refusal ECHILD (source handle invalid) where the page is not shared, or not what the
   *     handle says; EBADF (client handle invalid) where something is mapped; as {@link
   *     P2mTable#set}
   */
  public void lend(Page source, MemorySharing client, Gfn at) {
    Mfn mfn = p2m.lookup(source.gfn).mfn();
    requireShared(mfn, SOURCE_HANDLE_INVALID);
    requireHandle(mfn, source.handle, SOURCE_HANDLE_INVALID);
    P2mLookup replaced = client.p2m.lookup(at);
    if (!P2mType.HOLE.contains(replaced.type())) {
      throw Refusal.of(
          CLIENT_HANDLE_INVALID, "guest frame %s of the client is %s", at, replaced.type());
    }
    client.remap(at, mfn);
    shared.join(mfn, client.sharer(at));
    client.plugged(replaced);
  }

  /** What was paged out is not any more; a frame that it had is freed. */
  private void plugged(P2mLookup replaced) {
    if (!P2mType.PAGING.contains(replaced.type())) {
      return;
    }
    if (replaced.mfn().isValid()) {
      frames.clearM2p(replaced.mfn().value(), 0);
      domain.reservation().release(replaced.mfn().value());
    } else {
      domain.features().paging().overwritten(1);
    }
  }

  /**
   * Gives the domain a frame of its own in place of the shared one; no effect where it is not
   * shared.
   *
   * @throws Refusal ENOMEM; nothing changed
   */
  public void unshare(Gfn gfn) {
    unsharing.unshare(gfn, sharer(gfn));
  }

  /**
   * A page could not be unshared for want of memory: tells whoever can provide some.
   *
   * @param vcpu the vCPU that waits for it; empty where the hypervisor tried
   * @return whether somebody listens who was told
   */
  public boolean starve(Gfn gfn, Optional<Integer> vcpu) {
    return unsharing.starve(gfn, vcpu);
  }

  private Sharer sharer(Gfn gfn) {
    return new Sharer(domain.id(), gfn.value());
  }

  /**
   * Unmaps some shared pages while the domain is dying.
   *
   * @return whether none is left
   */
  boolean relinquish() {
    Gfn from = new Gfn(0);
    for (int done = 0; sharedPages() > 0 && done < PAGES_PER_STEP; done++) {
      P2mRun run = nextShared(from);
      Gfn gfn = new Gfn(Math.max(run.gfn().value(), from.value()));
      drop(gfn);
      from = gfn.plus(1);
    }
    return sharedPages() == 0;
  }

  /** Unmaps a shared page; its frame is freed where nobody else maps it. */
  void drop(Gfn gfn) {
    Mfn mfn = p2m.lookup(gfn).mfn();
    p2m.set(gfn, Mfn.INVALID, PageSize.SIZE_4K, P2mType.INVALID);
    shared.leave(mfn, sharer(gfn));
  }

  private P2mRun nextShared(Gfn from) {
    P2mRun run = p2m.nextRun(from).orElseThrow();
    while (run.type() != P2mType.RAM_SHARED) {
      run = p2m.nextRun(run.gfn().plus(run.count() << run.order())).orElseThrow();
    }
    return run;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("memory-sharing").put(enabled);
  }
}
