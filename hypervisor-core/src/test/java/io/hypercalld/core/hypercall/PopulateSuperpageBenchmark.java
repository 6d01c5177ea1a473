package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in large extents, beside what no hypervisor could leave out:
 * each block is allocated, its frames learn their guest frames, one P2M entry is stored, and where
 * tables are replaced each of them is zeroed before the pool has it back. Times are those of all 4
 * GiB; giving the memory back is not timed.
 */
@State(Scope.Thread)
public class PopulateSuperpageBenchmark {
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
  private static final int LARGE = PageSize.SIZE_2M.order();
  private static final int TABLES = 1 << LARGE;
  private static final byte[] ZEROS = new byte[PageSize.BYTES_4K];

  private final EmptyGuest guest = new EmptyGuest();
  private final MemorySegment entries =
      Arena.ofAuto().allocate((long) (EmptyGuest.PAGES >> LARGE) * Long.BYTES, Long.BYTES);
  private long[] blocks = {};
  private long tables = -1;

  @Param({"SIZE_2M", "SIZE_1G"})
  PageSize size = PageSize.SIZE_2M;

  /** Whether the guest frames were mapped page by page before, so that each extent frees tables. */
  @Param({"false", "true"})
  boolean replacesTables;

  @TearDown(Level.Invocation)
  public void empty() {
    for (long block : blocks) {
      guest.allocator().free(block, size);
    }
    blocks = new long[] {};
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

  @Benchmark
  public long leastWork() {
    FrameAllocator allocator = guest.allocator();
    FrameTable frames = allocator.frames();
    blocks = new long[EmptyGuest.PAGES >> size.order()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = allocator.allocate(size, 1, FrameUse.GUEST_RAM);
      frames.setM2p(blocks[i], size.order(), (long) i << size.order());
      entries.set(WORD, (long) i * Long.BYTES, blocks[i] << PageSize.SHIFT_4K);
    }
    if (replacesTables) {
      zeroTables(allocator);
    }
    return blocks[0];
  }

  /** As many tables as 4 GiB of small pages have, in the same few frames again and again. */
  private void zeroTables(FrameAllocator allocator) {
    MachineMemory memory = allocator.memory();
    if (tables < 0) {
      tables = allocator.allocate(PageSize.SIZE_2M, 1, FrameUse.P2M_TABLE);
    }
    for (int i = 0; i < EmptyGuest.PAGES >> LARGE; i++) {
      memory.write(new Mfn(tables + i % TABLES).maddr(), ZEROS, 0, ZEROS.length);
    }
  }

  @Benchmark
  public long extents() {
    return guest.populate(size.order());
  }
}
