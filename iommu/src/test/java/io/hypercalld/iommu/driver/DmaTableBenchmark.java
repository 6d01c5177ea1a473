package io.hypercalld.iommu.driver;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Runs of 512 second-stage mappings, made and unmade, against the bare stores of their words. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class DmaTableBenchmark {
  private static final int RUN = 512;
  private static final long FIRST_DFN = 0x10_0100;

  private MachineMemory memory;
  private DmaTable table;
  private FlushSet flush = new FlushSet();
  private long scratch;

  @Setup
  public void build() {
    memory = new MachineMemory(MemoryMap.of(2L << 30, 2L << 30, List.of()));
    FrameAllocator frames = new FrameAllocator(memory, new FrameTable(memory));
    LeafFormat format = new LeafFormat(EnumSet.allOf(PageSize.class), true);
    TableFrames tables = new TableFrames(frames, 1, TableFrameSize.FRAME_4K);
    table = new DmaTable(memory, tables, format, DmaTable.MOST_LEVELS);
    // Neighbours keep the two tables that the run lies in, so that the run itself is measured.
    map(FIRST_DFN - 1, 1, 0);
    map(FIRST_DFN + RUN, 1, 0);
    scratch = new Mfn(frames.allocate(PageSize.SIZE_4K, 1, FrameUse.DMA_TABLE)).maddr();
  }

  /** The 512 words of a run of leaves, and 512 zeros over them. */
  @Benchmark
  @OperationsPerInvocation(RUN)
  public void bareStores() {
    for (int i = 0; i < RUN; i++) {
      memory.writeWord(scratch + (long) i * Long.BYTES, (long) i << PageSize.SHIFT_4K | 3);
    }
    for (int i = 0; i < RUN; i++) {
      memory.writeWord(scratch + (long) i * Long.BYTES, 0);
    }
  }

  /** A run mapped page by page and unmapped page by page. */
  @Benchmark
  @OperationsPerInvocation(RUN)
  public void mapUnmapPages() {
    flush = new FlushSet();
    for (int i = 0; i < RUN; i++) {
      map(FIRST_DFN + i, 1, i);
    }
    for (int i = 0; i < RUN; i++) {
      unmap(FIRST_DFN + i, 1);
    }
  }

  /** The same run as one 2 MiB leaf, made and unmade. */
  @Benchmark
  @OperationsPerInvocation(RUN)
  public void mapUnmapSuperpage() {
    long dfn = FIRST_DFN - RUN / 2 + 2 * RUN;
    map(dfn, RUN, RUN);
    unmap(dfn, RUN);
  }

  /** A run of leaves of 4 KiB, as it is not aligned, told of at once, made and unmade. */
  @Benchmark
  @OperationsPerInvocation(RUN)
  public void mapUnmapRun() {
    map(FIRST_DFN, RUN, 1);
    unmap(FIRST_DFN, RUN);
  }

  private void map(long dfn, long frames, long mfn) {
    FrameRun run = new FrameRun(dfn, frames);
    table.map(flush, run, new Mfn(mfn), DmaPermission.READ_WRITE);
  }

  private void unmap(long dfn, long frames) {
    table.unmap(flush, new FrameRun(dfn, frames));
  }
}
