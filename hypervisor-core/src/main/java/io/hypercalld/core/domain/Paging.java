package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.P2mSettings;
import io.hypercalld.core.p2m.P2mTable;

/**
 * What translates a domain's memory: the pool of pages and the tables made of it. Confined to the
 * machine thread.
 *
 * @see "xen/arch/x86/mm/hap/hap.c, hap_enable"
 */
final class Paging implements Digestible {
  /** Roots of P2Ms for nested guests, taken whether there will be any or not. */
  static final int NESTED_ROOTS = 10;

  private final long[] nestedRoots = new long[NESTED_ROOTS];
  private final PagingPool pool;
  private final P2mTable p2m;
  private final DirtyBitmap dirtyBitmap;

  /**
   * A pool with its first pages and an empty table.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM; nothing changed
   */
  Paging(FrameAllocator allocator, DomainId id, DomainSettings settings, Host host) {
    pool = new PagingPool(allocator, id.value(), settings.geometry().granuleOrder());
    pool.resize(PagingPool.seedPages(settings.maxVcpus()));
    boolean iommu = settings.has(DomainFlag.IOMMU);
    PageSize largest = settings.has(DomainFlag.HAP) ? PageSize.SIZE_1G : PageSize.SIZE_2M;
    p2m =
        new P2mTable(
            allocator.memory(),
            pool,
            new P2mSettings(
                iommu,
                host.snoop(),
                largest,
                settings.geometry(),
                new MachineFrames(allocator.frames())));
    for (int i = 0; i < NESTED_ROOTS; i++) {
      nestedRoots[i] = pool.take();
    }
    dirtyBitmap = new DirtyBitmap(allocator.memory(), pool);
  }

  PagingPool pool() {
    return pool;
  }

  P2mTable p2m() {
    return p2m;
  }

  DirtyBitmap dirtyBitmap() {
    return dirtyBitmap;
  }

  /**
   * Gives back some tables, at last the pool's free pages.
   *
   * @return whether only the roots are left
   */
  boolean relinquish(int limit) {
    if (!p2m.relinquish(limit) || !dirtyBitmap.free(limit)) {
      return false;
    }
    pool.close();
    return true;
  }

  /** Gives back the roots. */
  void free() {
    for (long root : nestedRoots) {
      pool.give(root);
    }
    p2m.free();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(pool).put(p2m);
  }
}
