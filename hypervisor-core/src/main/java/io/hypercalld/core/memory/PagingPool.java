package io.hypercalld.core.memory;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;

/**
 * The pages that a domain's P2M tables are made of. Confined to the machine thread.
 *
 * <p>A domain cannot take more of the machine for its tables than its pool holds. Pages in the pool
 * hold zeros; the lowest is handed out first.
 *
 * @see "xen/arch/x86/mm/hap/hap.c, hap_set_allocation"
 */
public final class PagingPool implements Digestible {
  private static final long SEED_PAGES = 256;
  private static final long SEED_PAGES_OF_MANY = 512;

  /** vCPUs up to which today's Xen seeds. */
  private static final int FEW_VCPUS = 128;

  private final FrameAllocator allocator;
  private final int owner;
  private final int tableOrder;
  private final LowestFirst free = new LowestFirst();
  private long usedPages;
  private boolean closed;

  /**
   * Pages that a new domain's pool is seeded with.
   *
   * @see "xen/arch/x86/mm/hap/hap.c, hap_enable; spec/documents.md S1-D14"
   */
  public static long seedPages(int vcpus) {
    return vcpus > FEW_VCPUS ? SEED_PAGES_OF_MANY : SEED_PAGES;
  }

  /** An empty pool of the domain's, of tables of one page. */
  public PagingPool(FrameAllocator allocator, int owner) {
    this(allocator, owner, 0);
  }

  /**
   * An empty pool of the domain's.
   *
   * @param tableOrder log2 of the pages of each table; the pool is then a multiple of that large
   */
  public PagingPool(FrameAllocator allocator, int owner, int tableOrder) {
    this.allocator = allocator;
    this.owner = owner;
    this.tableOrder = tableOrder;
  }

  /**
   * The first page of those for a table.
   *
   * @throws Refusal ENOMEM where the pool is empty
   */
  public long take() {
    require(1);
    usedPages += tablePages();
    return free.removeLowest();
  }

  /**
   * Makes sure that the next {@code tables} can be taken.
   *
   * @throws Refusal ENOMEM where they cannot
   */
  public void require(long tables) {
    if (closed || free.size() < tables) {
      throw exhausted();
    }
  }

  /** Takes a table's pages back. */
  public void give(long mfn) {
    usedPages -= tablePages();
    if (closed) {
      allocator.free(mfn, tablePages());
    } else {
      // The host keeps its memory, as the next table made will want it.
      allocator.memory().zero(new Mfn(mfn), tablePages());
      free.add(mfn);
    }
  }

  /** Pages in use and free. */
  public long totalPages() {
    return usedPages + freePages();
  }

  public long freePages() {
    return (long) free.size() << tableOrder;
  }

  /** Pages that are tables. */
  public long usedPages() {
    return usedPages;
  }

  /**
   * Makes the pool {@code pages} large, or less than a table larger.
   *
   * @throws Refusal as {@link #requireResizable}; nothing changed
   */
  public void resize(long pages) {
    requireResizable(pages);
    resize(pages, Long.MAX_VALUE);
  }

  /**
   * Refuses what {@link #resize(long)} cannot do.
   *
   * @throws Refusal ENOMEM where more than that are in use or the machine has not enough
   */
  public void requireResizable(long pages) {
    if (closed) {
      throw exhausted();
    }
    if (pages < usedPages) {
      throw Refusal.of(
          Errno.ENOMEM, "%d pages of domain %d's paging pool are in use", usedPages, owner);
    }
    if (pages - totalPages() > allocator.unclaimedFrames()) {
      throw Refusal.of(
          Errno.ENOMEM,
          "the machine has %d free frames to give, a paging pool of %d pages needs more",
          allocator.unclaimedFrames(),
          pages);
    }
  }

  /**
   * Brings the pool nearer to a size that it can have, by at most so many pages or a table.
   *
   * @return whether it has that size now
   */
  public boolean resize(long pages, long most) {
    long tables = Math.max(1, most >>> tableOrder);
    for (; tables > 0 && totalPages() < pages; tables--) {
      free.add(allocator.allocate(tableOrder, Long.MAX_VALUE, owner, FrameUse.P2M_TABLE));
    }
    long wanted = (pages - usedPages + tablePages() - 1) >>> tableOrder;
    if (wanted < free.size()) {
      shrink((int) Math.max(wanted, free.size() - tables));
    }
    return totalPages() >= pages && wanted >= free.size();
  }

  /** Gives every free page back to the machine and hands out none any more. */
  public void close() {
    closed = true;
    shrink(0);
  }

  /** Gives the machine the highest of what is free, until so many tables are left. */
  private void shrink(int left) {
    free.removeHighest(left, mfn -> allocator.free(mfn, tablePages()));
  }

  private long tablePages() {
    return 1L << tableOrder;
  }

  private Refusal exhausted() {
    return Refusal.of(
        Errno.ENOMEM, "domain %d's paging pool of %d pages is exhausted", owner, totalPages());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("paging-pool").put(closed).put(usedPages).put(free.size());
    free.forEach(digest::put);
  }
}
