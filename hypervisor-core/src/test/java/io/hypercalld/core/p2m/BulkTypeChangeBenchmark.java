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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Watching all of a domain's memory and watching it no more, in leaves of 2 MiB, beside a bare loop
 * over the entries of a root.
 */
@State(Scope.Thread)
public class BulkTypeChangeBenchmark {
  private static final int ENTRIES = 512;

  @Param({"4", "4096"})
  long gib;

  private MachineMemory memory = new MachineMemory(MemoryMap.of(1L << 30, 1L << 30, List.of()));
  private P2mTable p2m = table();
  private long odd;

  private P2mTable table() {
    PagingPool pool = new PagingPool(new FrameAllocator(memory, new FrameTable(memory)), 1);
    pool.resize(5000);
    return new P2mTable(memory, pool, new P2mSettings(true, false, PageSize.SIZE_2M));
  }

  /** All of it mapped, and the marks of the first change where each later one finds them. */
  @Setup(Level.Trial)
  public void map() {
    p2m.setRun(new Gfn(0), new Mfn(0), gib << 18, P2mType.RAM_RW);
    p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_RW);
  }

  @TearDown(Level.Trial)
  public void release() {
    memory.close();
  }

  /** Reads and marks the entries of one table, which is nobody's. */
  @Benchmark
  public long bareStores() {
    odd ^= 1;
    for (long at = 0; at < (long) ENTRIES * Long.BYTES; at += Long.BYTES) {
      memory.writeWord(at, memory.readWord(at) | odd);
    }
    return odd;
  }

  /** One there, one back; what the first access after each finds is done, too. */
  @Benchmark
  public boolean logDirtyOnAndOff() {
    p2m.types().changeAll(P2mType.RAM_RW, P2mType.RAM_LOGDIRTY);
    boolean first = p2m.resolve(new Gfn(5));
    p2m.types().changeAll(P2mType.RAM_LOGDIRTY, P2mType.RAM_RW);
    return p2m.resolve(new Gfn(5)) && first;
  }
}
