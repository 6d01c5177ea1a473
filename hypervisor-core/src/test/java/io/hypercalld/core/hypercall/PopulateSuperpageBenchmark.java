package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.PageSize;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in large extents, beside the bare allocation of as many blocks;
 * times are those of all 4 GiB. Giving the memory back is not timed.
 */
@State(Scope.Thread)
public class PopulateSuperpageBenchmark {
  private final EmptyGuest guest = new EmptyGuest();

  @Param({"SIZE_2M", "SIZE_1G"})
  PageSize size = PageSize.SIZE_2M;

  /** Whether the guest frames were mapped page by page before, so that each extent frees tables. */
  @Param({"false", "true"})
  boolean replacesTables;

  @TearDown(Level.Invocation)
  public void empty() {
    if (replacesTables) {
      guest.release();
    } else {
      guest.renew();
    }
  }

  @TearDown(Level.Trial)
  public void close() {
    guest.close();
  }

  /** Each block is handed out and taken back. */
  @Benchmark
  public long bareAllocation() {
    FrameAllocator allocator = guest.allocator();
    long[] blocks = new long[EmptyGuest.PAGES >> size.order()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = allocator.allocate(size, 1, FrameUse.GUEST_RAM);
    }
    for (long block : blocks) {
      allocator.free(block, size);
    }
    return blocks[0];
  }

  @Benchmark
  public long extents() {
    return guest.populate(size.order());
  }
}
