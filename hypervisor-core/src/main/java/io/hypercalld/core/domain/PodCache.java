package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayDeque;
import java.util.OptionalLong;

/**
 * Zeroed frames of a domain's that no guest frame maps, to populate guest frames from. Confined to
 * the machine thread.
 *
 * <p>They are charged to the domain. Blocks of 2 MiB stay whole until single frames run out.
 *
 * @see "xen/arch/x86/mm/p2m-pod.c, p2m_pod_cache_add and p2m_pod_cache_get"
 */
final class PodCache implements Digestible {
  private final ArrayDeque<Long> superpages = new ArrayDeque<>();
  private final ArrayDeque<Long> singles = new ArrayDeque<>();
  private final FrameAllocator allocator;

  PodCache(FrameAllocator allocator) {
    this.allocator = allocator;
  }

  /** Frames in the cache. */
  long pages() {
    return singles.size() + superpages.size() * PageSize.SIZE_2M.frames();
  }

  boolean hasSuperpage() {
    return !superpages.isEmpty();
  }

  /** Takes in frames that nothing maps any more, by the largest blocks that they make up. */
  void addRun(Mfn mfn, long count) {
    long at = mfn.value();
    long end = at + count;
    while (at < end) {
      boolean large =
          (at & (PageSize.SIZE_2M.frames() - 1)) == 0 && end - at >= PageSize.SIZE_2M.frames();
      PageSize size = large ? PageSize.SIZE_2M : PageSize.SIZE_4K;
      add(new Mfn(at), size);
      at += size.frames();
    }
  }

  /** Takes in a block that nothing maps any more. */
  void add(Mfn mfn, PageSize size) {
    // What comes from the guest may hold anything, and what is handed out is promised to be zero.
    allocator.memory().scrub(mfn, size.frames());
    allocator.frames().mapped(mfn.value(), size.frames(), FrameTable.INVALID_M2P);
    if (size == PageSize.SIZE_4K) {
      singles.addLast(mfn.value());
    } else {
      superpages.addLast(mfn.value());
    }
  }

  /** A block of 2 MiB, or a single frame, off which a block is broken where there is no other. */
  OptionalLong take(PageSize size) {
    if (size == PageSize.SIZE_2M) {
      return superpages.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(superpages.removeFirst());
    }
    if (singles.isEmpty() && !superpages.isEmpty()) {
      long block = superpages.removeFirst();
      for (long i = 0; i < PageSize.SIZE_2M.frames(); i++) {
        singles.addLast(block + i);
      }
    }
    return singles.isEmpty() ? OptionalLong.empty() : OptionalLong.of(singles.removeFirst());
  }

  /** Forgets all frames; they stay the domain's. */
  void clear() {
    superpages.clear();
    singles.clear();
  }

  /** Every frame, for those who check. */
  Iterable<Long> superpages() {
    return superpages;
  }

  /** Every single frame, for those who check. */
  Iterable<Long> singles() {
    return singles;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(superpages.size()).put(singles.size());
    superpages.forEach(digest::put);
    singles.forEach(digest::put);
  }
}
