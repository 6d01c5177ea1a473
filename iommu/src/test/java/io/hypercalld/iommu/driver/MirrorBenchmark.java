package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import io.hypercalld.core.p2m.P2mSettings;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Pages mapped and M2P words written, with a separate table that follows and without: 128 MiB in
 * leaves of 4 KiB, every one of which changes. Bare is the P2M alone.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class MirrorBenchmark {
  private static final int PAGES = 1 << 15;

  private final MachineMemory memory =
      new MachineMemory(MemoryMap.of(1L << 30, 1L << 30, List.of()));
  private final FrameTable frames = new FrameTable(memory);
  private final FrameAllocator allocator = new FrameAllocator(memory, frames);
  private final P2mTable alone = p2m();
  private final P2mTable mirrored = p2m();
  private final DmaTable table =
      new DmaTable(
          memory,
          new TableFrames(allocator, 1, TableFrameSize.FRAME_4K),
          new LeafFormat(EnumSet.allOf(PageSize.class), true),
          3);
  private long block;
  private long odd;

  private P2mTable p2m() {
    PagingPool pool = new PagingPool(allocator, 1);
    pool.resize(1000);
    return new P2mTable(memory, pool, new P2mSettings(false, false, PageSize.SIZE_1G));
  }

  /** Tables are there before, as they are when a domain's memory changes. */
  @Setup(Level.Trial)
  public void map() {
    block = allocator.allocate(16, Long.MAX_VALUE, 1, FrameUse.GUEST_RAM);
    mirrored.announcements().observe(this::follow);
    bareP2m();
    p2mMirrored();
  }

  private void follow(P2mChange change) {
    FrameRun run = new FrameRun(change.gfn().value(), change.frames());
    table.map(new FlushSet(), run, change.mfn(), change.permission());
  }

  @TearDown(Level.Trial)
  public void release() {
    memory.close();
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long bareP2m() {
    return write(alone);
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long p2mMirrored() {
    return write(mirrored);
  }

  private long write(P2mTable p2m) {
    odd ^= 1;
    // Shifted by one each time, so that every entry changes and no large leaf comes about.
    p2m.setPages(new Gfn(1 + odd), new Mfn(block), PAGES, P2mType.RAM_RW);
    frames.mapped(block, PAGES, 1 + odd);
    return odd;
  }
}
