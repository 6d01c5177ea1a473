package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * The frames that are charged to a domain, mapped or not. Confined to the machine thread.
 *
 * <p>A frame is charged until its last reference goes, not until it is unmapped.
 *
 * @see "xen/common/page_alloc.c, assign_pages"
 */
/*
 * There is no list of the frames: the frame table knows whose each one is. What is kept is a bit for
 * each 2 MiB of the machine that ever held one, so that giving all of them back looks only there.
 */
public final class Reservation implements Digestible {
  /** The largest limit that there is: {@code UINT_MAX} pages. */
  public static final long UNLIMITED = 0xffff_ffffL;

  private static final int REGION_ORDER = PageSize.SIZE_2M.order();

  private final BitSet regions = new BitSet();
  private final FrameAllocator allocator;
  private final FrameTable frames;
  private final int owner;
  private long totalPages;
  private long maxPages;
  private boolean closed;

  Reservation(FrameAllocator allocator, int owner) {
    this.allocator = allocator;
    this.frames = allocator.frames();
    this.owner = owner;
  }

  /** Frames charged. */
  public long totalPages() {
    return totalPages;
  }

  /** Frames that may be charged. */
  public long maxPages() {
    return maxPages;
  }

  /** Limits what may be charged from now on; may be less than what is. */
  public void limit(long pages) {
    maxPages = pages;
  }

  /**
   * Charges {@code 1 << order} new frames.
   *
   * @param end first frame number too high
   * @return the first frame
   * @throws Refusal EINVAL for a dying domain; EPERM where it is above its limit; E2BIG where it
   *     would be; ENOMEM
   */
  public long allocate(int order, long end) {
    requireRoom(1L << order);
    long mfn = allocator.allocate(order, end, owner, FrameUse.GUEST_RAM);
    charge(mfn, 1L << order);
    return mfn;
  }

  /**
   * Charges consecutive frames.
   *
   * @return the first frame
   * @throws Refusal as {@link #allocate}
   */
  public long allocateConsecutive(long count) {
    requireRoom(count);
    long mfn = allocator.allocateConsecutive(count, owner, FrameUse.GUEST_RAM);
    charge(mfn, count);
    return mfn;
  }

  /**
   * Charges the blocks that as many requests for one block each would get, as far as they are
   * consecutive and allowed; they are noted as mapped already.
   *
   * @param max at least 1
   * @param first where the first of them is going to be mapped
   * @throws Refusal as {@link #allocate}
   */
  public FrameRun allocateRun(PageSize size, long max, Gfn first) {
    requireRoom(size.frames());
    long room = (maxPages - totalPages) >>> size.order();
    FrameRun run = allocator.allocateRun(size, Math.min(max, room), owner, first.value());
    charge(run.mfn(), run.count());
    return run;
  }

  /**
   * Gives frames to which only the allocation refers for as many others; the charge stays.
   *
   * @param given frames of the domain's
   * @param end first frame number too high
   * @return the first frame of each block of {@code 1 << order}
   * @throws Refusal ENOMEM; nothing changed
   */
  public List<Long> exchange(List<Long> given, int order, long end) {
    return exchange(given, order, end, (steps, blocks) -> {});
  }

  /**
   * The same.
   *
   * @param swap what is done while both are the domain's
   * @throws Refusal ENOMEM, and as the swap; nothing changed
   */
  List<Long> exchange(
      List<Long> given, int order, long end, BiConsumer<Transaction, List<Long>> swap) {
    List<Long> blocks =
        Transaction.run(
            steps -> {
              List<Long> taken = new ArrayList<>();
              for (int i = 0; i < given.size() >>> order; i++) {
                long mfn = allocator.allocate(order, end, owner, FrameUse.GUEST_RAM);
                steps.onFailure(() -> allocator.free(mfn, 1L << order));
                taken.add(mfn);
              }
              swap.accept(steps, taken);
              return taken;
            });
    given.forEach(mfn -> free(new FrameRun(mfn, 1)));
    blocks.forEach(mfn -> charge(mfn, 1L << order));
    return blocks;
  }

  /**
   * Refuses where the machine has not so many blocks beside what the domain has; changes nothing.
   *
   * @param order log2 of a block's frames
   * @param end first frame number too high
   * @throws Refusal ENOMEM
   */
  void requireBlocks(int order, int count, long end) {
    long claimed = allocator.claims().of(owner);
    List<Long> taken = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        taken.add(allocator.allocate(order, end, owner, FrameUse.GUEST_RAM));
      }
    } finally {
      taken.reversed().forEach(mfn -> allocator.free(mfn, 1L << order));
      allocator.claims().set(owner, claimed);
    }
  }

  /** Whether the frame of RAM is one of those charged. */
  public boolean owns(long mfn) {
    return frames.owner(mfn) == owner && frames.use(mfn) == FrameUse.GUEST_RAM;
  }

  /** Gives back the reference of the allocation; the frame is freed unless others hold some. */
  public void release(long mfn) {
    if (frames.references(mfn) == 1) {
      free(new FrameRun(mfn, 1));
    } else {
      frames.putAllocation(mfn);
    }
  }

  /** How many consecutive frames, at most so many, {@link #release} would free. */
  long releasable(long mfn, long most) {
    boolean free = owns(mfn) && frames.isAllocated(mfn) && frames.references(mfn) == 1;
    return free ? frames.alike(mfn, most) : 0;
  }

  /** Makes undone what {@link #allocateRun} did, while so many frames were claimed. */
  public void takeBack(FrameRun run, long claimed) {
    free(run);
    allocator.claims().set(owner, claimed);
  }

  /** Frees frames to which nobody but the allocation refers. */
  public void free(FrameRun run) {
    allocator.free(run.mfn(), run.count());
    totalPages -= run.count();
  }

  /** A frame becomes somebody else's. */
  void disown(long mfn) {
    if (!owns(mfn)) {
      throw new IllegalStateException("frame 0x%x is not domain %d's".formatted(mfn, owner));
    }
    totalPages--;
  }

  /** A frame that was made the domain's is charged, whatever the limit. */
  void adopt(long mfn) {
    charge(mfn, 1);
  }

  /** Frames claimed and not allocated yet. */
  public long claimed() {
    return allocator.claims().of(owner);
  }

  /**
   * Claims what is missing to {@code pages}; with 0 gives a claim up.
   *
   * @throws Refusal EINVAL where there is a claim already, for no more than is charged, or for more
   *     than may be; ENOMEM where not so much is free and unclaimed
   */
  public void claim(long pages) {
    if (pages == 0) {
      allocator.claims().set(owner, 0);
      return;
    }
    if (closed || claimed() != 0) {
      throw Refusal.of(Errno.EINVAL, "domain %d is dying or has a claim already", owner);
    }
    if (Long.compareUnsigned(pages, totalPages) <= 0 || Long.compareUnsigned(pages, maxPages) > 0) {
      throw Refusal.of(
          Errno.EINVAL,
          "a claim of %d for domain %d, which has %d of at most %d pages",
          pages,
          owner,
          totalPages,
          maxPages);
    }
    long missing = pages - totalPages;
    if (missing > allocator.unclaimedFrames()) {
      throw Refusal.of(Errno.ENOMEM, "not %d frames are free and unclaimed", missing);
    }
    allocator.claims().set(owner, missing);
  }

  /** Refuses every further allocation, and gives a claim up. */
  void close() {
    closed = true;
    allocator.claims().set(owner, 0);
  }

  /**
   * Releases the frames of one 2 MiB region.
   *
   * @return whether none is left to be released
   */
  boolean relinquish() {
    int region = regions.nextSetBit(0);
    if (region < 0) {
      return true;
    }
    long end = (region + 1L) << REGION_ORDER;
    long mfn = frames.nextOwned((long) region << REGION_ORDER, end, owner);
    while (mfn >= 0) {
      long next = mfn + 1;
      if (frames.use(mfn) == FrameUse.GUEST_RAM && frames.isAllocated(mfn)) {
        next = releaseAlike(mfn, end);
      }
      mfn = frames.nextOwned(next, end, owner);
    }
    regions.clear(region);
    return false;
  }

  private long releaseAlike(long mfn, long end) {
    if (frames.references(mfn) > 1) {
      frames.putAllocation(mfn);
      return mfn + 1;
    }
    long alike = frames.alike(mfn, end - mfn);
    free(new FrameRun(mfn, alike));
    return mfn + alike;
  }

  private void requireRoom(long pages) {
    if (closed) {
      throw Refusal.of(Errno.EINVAL, "domain %d is dying", owner);
    }
    if (totalPages > maxPages) {
      throw Refusal.of(
          Errno.EPERM, "domain %d has %d pages of at most %d", owner, totalPages, maxPages);
    }
    if (pages > maxPages - totalPages) {
      throw Refusal.of(
          Errno.E2BIG,
          "domain %d has %d pages of at most %d: no room for %d",
          owner,
          totalPages,
          maxPages,
          pages);
    }
  }

  private void charge(long mfn, long count) {
    totalPages += count;
    allocator.claims().redeem(owner, count);
    regions.set(
        Math.toIntExact(mfn >>> REGION_ORDER),
        Math.toIntExact((mfn + count - 1) >>> REGION_ORDER) + 1);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("reservation").put(totalPages).put(maxPages).put(closed);
  }
}
