package io.hypercalld.iommu.driver;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the tables of one owner come from and go to. Confined to the machine thread.
 *
 * <p>A table takes one frame, or four together where the policy is to waste as ia64 did.
 */
final class TableFrames {
  private final FrameAllocator allocator;
  private final int owner;
  private final TableFrameSize size;

  /** Frames charged to the raw domain id {@code owner}. */
  TableFrames(FrameAllocator allocator, int owner, TableFrameSize size) {
    this.allocator = allocator;
    this.owner = owner;
    this.size = size;
  }

  TableFrameSize size() {
    return size;
  }

  /**
   * Machine address of a new table.
   *
   * @throws Refusal ENOMEM
   */
  long allocate() {
    return new Mfn(take()).maddr();
  }

  private long take() {
    return allocator.allocate(size.order(), Long.MAX_VALUE, owner, FrameUse.DMA_TABLE);
  }

  /** What the table at {@code maddr} takes. */
  FrameRun of(long maddr) {
    return new FrameRun(Mfn.containing(maddr).value(), size.frames());
  }

  /** Takes a table back that no cache remembers. */
  void free(FrameRun table) {
    allocator.free(table.mfn(), table.count());
  }

  /**
   * Whether so many tables are to be had without looking closely; where not, they may be all the
   * same.
   */
  boolean hasPlenty(long tables) {
    if (size.order() == 0) {
      return allocator.unclaimedFrames() >= tables;
    }
    long whole =
        allocator.freeBlocks(PageSize.SIZE_1G) * PageSize.SIZE_1G.frames()
            + allocator.freeBlocks(PageSize.SIZE_2M) * PageSize.SIZE_2M.frames();
    return whole >>> size.order() >= tables;
  }

  /**
   * Makes sure that so many tables can be allocated now, one by one.
   *
   * @throws Refusal ENOMEM they cannot; nothing changed
   */
  void require(long tables) {
    if (hasPlenty(tables)) {
      return;
    }
    if (size.order() == 0 || !canTake(tables)) {
      throw Refusal.of(
          Errno.ENOMEM,
          "%d frames are free, %d DMA tables of %s are needed",
          allocator.unclaimedFrames(),
          tables,
          size);
    }
  }

  /** Tries it: what was free in a row before is so again afterwards. */
  private boolean canTake(long tables) {
    List<Long> taken = new ArrayList<>();
    try {
      while (taken.size() < tables) {
        taken.add(take());
      }
      return true;
    } catch (Refusal exhausted) {
      return false;
    } finally {
      taken.forEach(mfn -> allocator.free(mfn, size.frames()));
    }
  }
}
