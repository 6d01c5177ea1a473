package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.TreeSet;

/**
 * Pages that the hypervisor made for a domain beside its reservation: shared_info, grant frames,
 * pages of ioreq servers. Confined to the machine thread.
 *
 * <p>The domain's struct stays while there are any, and so while somebody refers to one.
 *
 * @see "xen/common/page_alloc.c, xenheap_pages and PGC_extra"
 */
public final class SpecialPages implements Digestible {
  private final TreeSet<Long> held = new TreeSet<>();
  private final FrameAllocator allocator;
  private final int owner;
  private long count;

  SpecialPages(FrameAllocator allocator, int owner) {
    this.allocator = allocator;
    this.owner = owner;
  }

  /**
   * A zeroed page of the hypervisor's own heap.
   *
   * @throws Refusal ENOMEM
   */
  public Mfn allocate() {
    return hold(allocator.allocate(PageSize.SIZE_4K, owner, FrameUse.SPECIAL));
  }

  /**
   * A zeroed page of the domain's that its reservation does not count.
   *
   * @throws Refusal ENOMEM
   */
  public Mfn allocateExtra() {
    return hold(allocator.allocateExtra(owner));
  }

  private Mfn hold(long mfn) {
    held.add(mfn);
    count++;
    return new Mfn(mfn);
  }

  /** Whether a guest frame maps the page, the domain's or another's. */
  boolean isMapped(Mfn page) {
    FrameTable frames = allocator.frames();
    return frames.m2p(page.value()) >= 0 || frames.references(page.value()) > 1;
  }

  /** Gives a page back; it is freed unless others refer to it. */
  public void release(Mfn page) {
    if (!held.remove(page.value())) {
      throw new IllegalStateException("page %s was given back before".formatted(page));
    }
    if (allocator.frames().putAllocation(page.value()) == 0) {
      freed(page);
    }
  }

  /** Gives all of them back. */
  void releaseAll() {
    while (!held.isEmpty()) {
      release(new Mfn(held.first()));
    }
  }

  /** The last reference to a page that was given back went. */
  void freed(Mfn page) {
    allocator.free(page.value());
    count--;
  }

  /** Pages that are not freed yet. */
  public long count() {
    return count;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("special-pages").put(count).put(held.size());
    held.forEach(digest::put);
  }
}
