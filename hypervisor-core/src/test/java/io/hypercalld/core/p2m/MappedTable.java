package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import java.util.List;

/** A P2M of its own, and short words for what tests do with it. Confined to the test's thread. */
final class MappedTable implements AutoCloseable {
  static final P2mSettings PLAIN = new P2mSettings(false, false, PageSize.SIZE_1G);
  private static final long GIB = 1L << 30;

  final MachineMemory memory = new MachineMemory(MemoryMap.of(4 * GIB, 2 * GIB, List.of()));
  final PagingPool pool;
  final P2mTable p2m;

  MappedTable(P2mSettings settings, long pages) {
    pool =
        new PagingPool(
            new FrameAllocator(memory, new FrameTable(memory)),
            1,
            settings.geometry().granuleOrder());
    pool.resize(pages);
    p2m = new P2mTable(memory, pool, settings);
  }

  MappedTable() {
    this(PLAIN, 64);
  }

  void ram(long gfn, long mfn, PageSize size) {
    p2m.set(new Gfn(gfn), new Mfn(mfn), size, P2mType.RAM_RW);
  }

  void set(long gfn, long mfn, P2mType type) {
    p2m.set(new Gfn(gfn), new Mfn(mfn), PageSize.SIZE_4K, type);
  }

  P2mType type(long gfn) {
    return p2m.lookup(new Gfn(gfn)).type();
  }

  int order(long gfn) {
    return p2m.lookup(new Gfn(gfn)).order();
  }

  /** The entry where the walk ends, as it is stored. */
  long raw(long gfn) {
    return p2m.explain(new Gfn(gfn)).getLast().raw().value();
  }

  /** The entry of the level on the way to a guest frame. */
  long raw(long gfn, int level) {
    return p2m.explain(new Gfn(gfn)).stream()
        .filter(step -> step.level() == level)
        .findFirst()
        .orElseThrow()
        .raw()
        .value();
  }

  long writes(Runnable action) {
    long before = p2m.counters().entryWrites();
    action.run();
    return p2m.counters().entryWrites() - before;
  }

  String digest() {
    return new StateDigest().put(memory).put(pool).put(p2m).finish();
  }

  @Override
  public void close() {
    memory.close();
  }
}
