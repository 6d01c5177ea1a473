package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A look-up in the P2M, beside a bare walk of four levels over the same tables. */
@State(Scope.Thread)
public class P2mBenchmark {
  private static final int PAGES = 1 << 16;
  private static final long MFN_MASK = 0x000f_ffff_ffff_f000L;

  private MachineMemory memory = new MachineMemory(MemoryMap.of(1L << 30, 1L << 30, List.of()));
  private P2mTable p2m = table();
  private long root = p2m.root();
  private long gfn;

  private P2mTable table() {
    PagingPool pool = new PagingPool(new FrameAllocator(memory, new FrameTable(memory)), 1);
    pool.resize(1000);
    return new P2mTable(memory, pool, new P2mSettings(true, false, PageSize.SIZE_1G));
  }

  /** 256 MiB in leaves of 4 KiB. */
  @Setup(Level.Trial)
  public void map() {
    p2m.setPages(new Gfn(0), new Mfn(0x1_0000), PAGES, P2mType.RAM_RW);
  }

  @TearDown(Level.Trial)
  public void release() {
    memory.close();
  }

  private long nextGfn() {
    gfn = (gfn + 7919) & (PAGES - 1);
    return gfn;
  }

  @Benchmark
  public long bareWalk() {
    long frame = nextGfn();
    long table = root;
    for (int level = 4; level > 1; level--) {
      table = memory.readWord(table + P2mEntry.offset(frame, level)) & MFN_MASK;
    }
    return memory.readWord(table + P2mEntry.offset(frame, 1)) & MFN_MASK;
  }

  @Benchmark
  public long lookup() {
    return p2m.lookup(new Gfn(nextGfn())).mfn().value();
  }
}
