package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.platform.ReservedRegion;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.ArrayList;
import java.util.List;

/**
 * A table through which every address leads to one page, but for the reserved regions, which lead
 * to themselves. Confined to the machine thread; the table in memory is fixed once it is built.
 *
 * <pre>
 *   level 4       level 3       level 2       level 1       the page
 *  +-------+     +-------+     +-------+     +-------+     +-------+
 *  | 512 x |----&gt;| 512 x |----&gt;| 512 x |----&gt;| 512 x |----&gt;|       |
 *  +-------+     +-------+     +-------+     +-------+     +-------+
 * </pre>
 *
 * <p>Tables are shared between all slots of a level; where a reserved region lies, a way of its own
 * is made of copies.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, intel_iommu_quarantine_init"
 */
final class ScratchTable implements Digestible {
  private final MachineMemory memory;
  private final FrameAllocator allocator;
  private final DomainId owner;
  private final List<Long> frames = new ArrayList<>();

  /** Machine address of the shared table of each level from 1 on; at 0 the page. */
  private final long[] shared;

  private final long root;

  /**
   * Builds the table.
   *
   * @param levels how many the unit walks
   * @throws io.hypercalld.core.errno.Refusal ENOMEM; what was allocated is freed by the transaction
   */
  ScratchTable(
      Transaction steps,
      MachineMemory memory,
      FrameAllocator allocator,
      DomainId owner,
      int levels) {
    this.memory = memory;
    this.allocator = allocator;
    this.owner = owner;
    steps.onFailure(this::destroy);
    this.shared = new long[levels];
    shared[0] = allocate();
    for (int level = 1; level < levels; level++) {
      shared[level] = filled(level);
    }
    this.root = filled(levels);
  }

  private long filled(int level) {
    long table = allocate();
    long entry = entry(shared[level - 1], level);
    for (int i = 0; i < SecondStageEntry.ENTRIES; i++) {
      memory.writeWord(table + (long) i * SecondStageEntry.BYTES, entry);
    }
    return table;
  }

  private static long entry(long target, int level) {
    return level == 1
        ? SecondStageEntry.leaf(target, PageSize.SIZE_4K, SecondStageEntry.READ_WRITE)
        : SecondStageEntry.table(target);
  }

  private long allocate() {
    long mfn = allocator.allocate(PageSize.SIZE_4K, owner.value(), FrameUse.DMA_TABLE);
    frames.add(mfn);
    return new Mfn(mfn).maddr();
  }

  /**
   * Leads a reserved region to itself; nothing may point at the table yet.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM
   */
  void add(ReservedRegion region) {
    for (long page = 0; page < region.pages(); page++) {
      identify(region.base() + (page << PageSize.SHIFT_4K));
    }
  }

  private void identify(long maddr) {
    long table = root;
    for (int level = shared.length; level > 1; level--) {
      table = own(table, maddr, level);
    }
    memory.writeWord(table + SecondStageEntry.offset(maddr, 1), entry(maddr, 1));
  }

  /** The table below an entry, which becomes a copy where all share it. */
  private long own(long table, long iova, int level) {
    long at = table + SecondStageEntry.offset(iova, level);
    long below = SecondStageEntry.target(memory.readWord(at));
    if (below != shared[level - 1]) {
      return below;
    }
    long copy = filled(level - 1);
    memory.writeWord(at, entry(copy, level));
    return copy;
  }

  int levels() {
    return shared.length;
  }

  /** Machine address of the table that a walk of so many levels starts in. */
  long root() {
    return root;
  }

  /** Machine address of the page that everything leads to. */
  long page() {
    return shared[0];
  }

  /** Fills the page with zeros. */
  void clean() {
    memory.scrub(Mfn.containing(page()), 1);
  }

  /** Frees everything: when no unit remembers any of it. */
  void destroy() {
    frames.forEach(allocator::free);
    frames.clear();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(root).put(frames.size());
  }
}
