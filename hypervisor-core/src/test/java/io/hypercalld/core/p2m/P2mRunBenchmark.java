package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.PagingPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Runs of leaves with their frames' records and guest frames, beside a bare loop that stores the
 * same four words for each.
 */
@State(Scope.Thread)
public class P2mRunBenchmark {
  private static final int PAGES = 1 << 15;
  private static final int WORDS_PER_PAGE = 4;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

  private MachineMemory memory = new MachineMemory(MemoryMap.of(1L << 30, 1L << 30, List.of()));
  private FrameTable frames = new FrameTable(memory);
  private FrameAllocator allocator = new FrameAllocator(memory, frames);
  private P2mTable p2m = table();
  private MemorySegment words =
      Arena.ofAuto().allocate((long) PAGES * WORDS_PER_PAGE * Long.BYTES, Long.BYTES);
  private long block;
  private long singles;
  private long odd;

  private P2mTable table() {
    PagingPool pool = new PagingPool(allocator, 1);
    pool.resize(1000);
    return new P2mTable(memory, pool, new P2mSettings(false, false, PageSize.SIZE_1G));
  }

  /** Tables are there before, as they are when a domain's memory changes. */
  @Setup(Level.Trial)
  public void map() {
    block = allocator.allocate(16, Long.MAX_VALUE, 1, FrameUse.GUEST_RAM);
    singles = allocator.allocate(16, Long.MAX_VALUE, 1, FrameUse.GUEST_RAM);
    for (long i = 0; i < PAGES; i++) {
      frames.takeReference(singles + i, 1);
    }
    runOfABlock();
    runOfSingleFrames();
  }

  @TearDown(Level.Trial)
  public void release() {
    memory.close();
  }

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long bareStores() {
    odd ^= 1;
    long records = (long) PAGES * Long.BYTES;
    for (long i = 0; i < PAGES; i++) {
      words.set(WORD, i * Long.BYTES, ((block + i) << PageSize.SHIFT_4K) | odd);
      long record = records + i * (WORDS_PER_PAGE - 1) * Long.BYTES;
      words.set(WORD, record, odd);
      words.set(WORD, record + Long.BYTES, 2);
      words.set(WORD, record + 2 * Long.BYTES, ~(i + odd));
    }
    return odd;
  }

  /** Frames that are alike, whose blocks have a record each. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long runOfABlock() {
    odd ^= 1;
    // Shifted by one each time, so that every entry changes.
    p2m.setPages(new Gfn(odd), new Mfn(block), PAGES, P2mType.RAM_RW);
    frames.mapped(block, PAGES, odd);
    return odd;
  }

  /** Frames with a record each. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long runOfSingleFrames() {
    odd ^= 1;
    p2m.setPages(new Gfn(odd), new Mfn(singles), PAGES, P2mType.RAM_RW);
    frames.mapped(singles, PAGES, odd);
    return odd;
  }
}
