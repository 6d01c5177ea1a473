package io.hypercalld.core.memory;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * Hands out free frames and takes them back. Confined to the machine thread.
 *
 * <p>Of the free blocks that fit it takes the smallest kind, and of these the lowest, so the same
 * requests always get the same frames. Frames are scrubbed when they come back and so hold zeros
 * when they are handed out.
 */
/*
 * A buddy allocator whose orders are those of the page sizes, each with a bitmap of its free blocks.
 * A block is split into 512 of the next size; 512 free neighbours become one again at once, so no
 * two states with the same free frames differ. Orders in between, which nothing but a hypercall asks
 * for, are runs of blocks of the size below.
 */
public final class FrameAllocator implements Digestible {
  private static final int FAN_OUT_SHIFT = 9;
  private static final long FAN_OUT = 1L << FAN_OUT_SHIFT;
  private static final PageSize[] SIZES = PageSize.values();

  private final MachineMemory memory;
  private final FrameTable frames;
  private final SparseBitmap[] free;
  private final Claims claims = new Claims();
  private final long totalFrames;
  private long freeFrames;
  private long withheldFrames;

  /** An allocator of all RAM of the memory that firmware does not keep. */
  public FrameAllocator(MachineMemory memory, FrameTable frames) {
    this.memory = memory;
    this.frames = frames;
    this.free = new SparseBitmap[SIZES.length];
    long bound = memory.map().highTop() >>> PageSize.SHIFT_4K;
    for (int kind = 0; kind < SIZES.length; kind++) {
      free[kind] = new SparseBitmap((bound >>> shift(kind)) + 1, memory.host());
    }
    for (MemoryMap.Region region : memory.map().usable()) {
      addFree(region.start() >>> PageSize.SHIFT_4K, region.end() >>> PageSize.SHIFT_4K);
    }
    this.totalFrames = freeFrames;
  }

  public MachineMemory memory() {
    return memory;
  }

  public FrameTable frames() {
    return frames;
  }

  /**
   * Hands out the lowest free block of the size, zeroed.
   *
   * @param owner the domain it is for, or {@link FrameTable#NO_OWNER}
   * @return its first frame
   * @throws Refusal ENOMEM where there is none
   */
  public long allocate(PageSize size, int owner, FrameUse use) {
    return allocate(size.order(), Long.MAX_VALUE, owner, use);
  }

  /**
   * Hands out {@code 1 << order} consecutive frames, the first a multiple of their number.
   *
   * @param order 0 to 18
   * @param end first frame number too high for the caller
   * @return the first frame
   * @throws Refusal ENOMEM where there are none
   */
  public long allocate(int order, long end, int owner, FrameUse use) {
    long flags = use == FrameUse.SPECIAL ? FrameRecord.XEN_HEAP.mask() : 0;
    return allocate(order, end, owner, use, flags);
  }

  /**
   * Hands out a page that the owner's reservation does not count ({@code PGC_extra}).
   *
   * @throws Refusal ENOMEM
   */
  public long allocateExtra(int owner) {
    return allocate(0, Long.MAX_VALUE, owner, FrameUse.SPECIAL, FrameRecord.EXTRA.mask());
  }

  private long allocate(int order, long end, int owner, FrameUse use, long flags) {
    long count = 1L << order;
    requireUnclaimed(count, owner, use);
    long mfn = take(order, end);
    freeFrames -= count;
    frames.assign(mfn, count, owner, use, flags);
    return mfn;
  }

  /**
   * Hands out any number of consecutive frames, the first a multiple of the next power of two.
   *
   * @throws Refusal ENOMEM where there are none
   */
  public long allocateConsecutive(long count, int owner, FrameUse use) {
    requireUnclaimed(count, owner, use);
    int order = Long.SIZE - Long.numberOfLeadingZeros(count - 1);
    long mfn = take(order, Long.MAX_VALUE);
    freeFrames -= 1L << order;
    addFree(mfn + count, mfn + (1L << order));
    frames.assign(mfn, count, owner, use, 0);
    return mfn;
  }

  // A claim is what its domain may still allocate as its memory, and nobody else.
  private void requireUnclaimed(long count, int owner, FrameUse use) {
    boolean claimed = use == FrameUse.GUEST_RAM && claims.of(owner) >= count;
    if (!claimed && count > unclaimedFrames()) {
      throw Refusal.of(
          Errno.ENOMEM,
          "of %d free frames %d are claimed or withheld: none for %d",
          freeFrames,
          claims.total() + withheldFrames,
          count);
    }
  }

  /** Frames promised to domains and not allocated yet. */
  public Claims claims() {
    return claims;
  }

  /**
   * Hands out, as a domain's memory, the blocks that as many requests for one block would get, as
   * far as they are consecutive; they are noted as mapped already.
   *
   * @param max most blocks wanted; at least 1
   * @param gfn where the first is going to be mapped
   * @throws Refusal ENOMEM where there is none
   */
  public FrameRun allocateRun(PageSize size, long max, int owner, long gfn) {
    requireUnclaimed(size.frames(), owner, FrameUse.GUEST_RAM);
    int kind = size.level() - 1;
    long first = take(size.order(), Long.MAX_VALUE) >>> shift(kind);
    long neighbours = FAN_OUT - (first & (FAN_OUT - 1));
    long most = Math.min(Math.min(max, promised(size, owner)), neighbours);
    long more = free[kind].runLength(first + 1, most - 1);
    free[kind].removeRange(first + 1, more);
    FrameRun run = new FrameRun(first << shift(kind), (1 + more) << shift(kind));
    freeFrames -= run.count();
    frames.assignMapped(run.mfn(), run.count(), owner, gfn);
    return run;
  }

  /** Blocks that the domain could be given one after the other, as far as claims decide. */
  private long promised(PageSize size, int owner) {
    long own = claims.of(owner);
    long others = unclaimedFrames();
    return (others < size.frames() ? own : own + others) >>> size.order();
  }

  /** Takes back the frames of one page, which may be part of what was handed out. */
  public void free(long mfn, PageSize size) {
    free(mfn, size.frames());
  }

  /** Takes back one frame. */
  public void free(long mfn) {
    free(mfn, 1);
  }

  /** Takes back {@code count} consecutive frames. */
  public void free(long mfn, long count) {
    if (frames.use(mfn) == FrameUse.FREE || frames.use(mfn) == FrameUse.FIRMWARE) {
      throw new IllegalStateException("frame 0x%x was not handed out".formatted(mfn));
    }
    frames.release(mfn, count);
    memory.scrub(new Mfn(mfn), count);
    addFree(mfn, mfn + count);
  }

  public long freeFrames() {
    return freeFrames;
  }

  /** Free frames that nobody was promised. */
  public long unclaimedFrames() {
    return freeFrames - claims.total() - withheldFrames;
  }

  /** Has memory run out when so many more frames have been handed out. */
  public void runOutAfter(long more) {
    withheldFrames = Math.max(0, freeFrames - claims.total() - more);
  }

  /** Hands out everything that is free again. */
  public void runOutNever() {
    withheldFrames = 0;
  }

  /** Frames that were free at the start: RAM that firmware does not keep. */
  public long totalFrames() {
    return totalFrames;
  }

  /** Whether {@link #allocate} would find a block of the size. */
  public boolean hasBlock(PageSize size) {
    for (int kind = size.level() - 1; kind < SIZES.length; kind++) {
      if (free[kind].size() > 0) {
        return true;
      }
    }
    return false;
  }

  /** Free blocks of the size that are not part of a larger free block. */
  public long freeBlocks(PageSize size) {
    return free[size.level() - 1].size();
  }

  private long take(int order, long end) {
    int kind = Math.min(order / FAN_OUT_SHIFT, SIZES.length - 1);
    long units = 1L << (order - shift(kind));
    long run = nextRun(kind, units, end);
    if (run >= 0) {
      free[kind].removeRange(run, units);
      return run << shift(kind);
    }
    for (int larger = kind + 1; larger < SIZES.length; larger++) {
      long block = free[larger].next(0);
      if (block >= 0 && (block << shift(larger)) + (1L << order) <= end) {
        free[larger].remove(block);
        return split(block, larger, kind, units) << shift(kind);
      }
    }
    throw Refusal.of(Errno.ENOMEM, "the machine has no %d free frames in a row", 1L << order);
  }

  /** Leaves {@code units} blocks of a kind out of a larger one, frees the rest, says which. */
  private long split(long block, int larger, int kind, long units) {
    long first = block;
    for (int below = larger - 1; below >= kind; below--) {
      first <<= FAN_OUT_SHIFT;
      long kept = below == kind ? units : 1;
      free[below].addRange(first + kept, FAN_OUT - kept);
    }
    return first;
  }

  /** The lowest aligned run of free blocks of a kind that ends in time, or -1. */
  private long nextRun(int kind, long units, long end) {
    long at = free[kind].next(0);
    while (at >= 0) {
      long aligned = (at + units - 1) & -units;
      if ((aligned + units) << shift(kind) > end) {
        return -1;
      }
      long length = free[kind].runLength(aligned, units);
      if (length == units) {
        return aligned;
      }
      at = free[kind].next(aligned + length);
    }
    return -1;
  }

  private void addFree(long start, long end) {
    freeFrames += end - start;
    for (long at = start; at < end; ) {
      int kind = largestKind(at, end);
      long neighbours = (at | ((FAN_OUT << shift(kind)) - 1)) + 1;
      long blocks = (Math.min(end, neighbours) - at) >>> shift(kind);
      free[kind].addRange(at >>> shift(kind), blocks);
      merge(at >>> shift(kind), kind);
      at += blocks << shift(kind);
    }
  }

  private void merge(long block, int kind) {
    long neighbours = block & -FAN_OUT;
    if (kind + 1 < SIZES.length && free[kind].runLength(neighbours, FAN_OUT) == FAN_OUT) {
      free[kind].removeRange(neighbours, FAN_OUT);
      long joined = block >>> FAN_OUT_SHIFT;
      frames.joinFree(joined << shift(kind + 1), SIZES[kind + 1]);
      free[kind + 1].add(joined);
      merge(joined, kind + 1);
    }
  }

  private static int largestKind(long mfn, long end) {
    for (int kind = SIZES.length - 1; kind > 0; kind--) {
      long size = 1L << shift(kind);
      if ((mfn & (size - 1)) == 0 && end - mfn >= size) {
        return kind;
      }
    }
    return 0;
  }

  private static int shift(int kind) {
    return kind * FAN_OUT_SHIFT;
  }

  /** Which frames are free is what the frame table does not say is taken. */
  @Override
  public void digest(StateDigest digest) {
    digest.section("allocator").put(freeFrames).put(withheldFrames).put(claims);
    for (SparseBitmap blocks : free) {
      digest.put(blocks.size());
    }
  }
}
