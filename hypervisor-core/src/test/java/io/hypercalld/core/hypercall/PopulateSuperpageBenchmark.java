package io.hypercalld.core.hypercall;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.PageSize;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in extents of 2 MiB, beside the bare allocation of as many
 * blocks. The guest frames were mapped page by page before, so that each extent also frees a table.
 */
@State(Scope.Thread)
public class PopulateSuperpageBenchmark {
  private static final int PAGES = 1 << 20;
  private static final int EXTENTS = PAGES / 512;

  private SimulatedHost host = SimulatedHost.booted();
  private final long[] blocks = new long[EXTENTS];
  private DomainId id = DomainId.DOM0;

  /** A domain without memory whose tables have been made before, as the host's pages have. */
  @Setup(Level.Trial)
  public void create() {
    id = host.create(SimulatedHost.HVM_HAP);
    host.limit(id, PAGES);
    host.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(
            DomainId.DOM0, new SetPagingMempoolSize(id, new Word(2200L * PageSize.BYTES_4K)));
    superpages();
    empty();
  }

  /** Takes the memory back; tables stay. */
  @TearDown(Level.Invocation)
  public void empty() {
    host.decrease(id, 9, starts());
  }

  @TearDown(Level.Trial)
  public void release() {
    host.close();
  }

  /** Each block is handed out and taken back. */
  @Benchmark
  @OperationsPerInvocation(EXTENTS)
  public long bareAllocation() {
    FrameAllocator allocator = host.hypervisor().allocator();
    for (int i = 0; i < EXTENTS; i++) {
      blocks[i] = allocator.allocate(PageSize.SIZE_2M, 1, FrameUse.GUEST_RAM);
    }
    for (long block : blocks) {
      allocator.free(block, PageSize.SIZE_2M);
    }
    return blocks[0];
  }

  /** Extents of 2 MiB. */
  @Benchmark
  @OperationsPerInvocation(EXTENTS)
  public long superpages() {
    return host.populate(id, 9, starts());
  }

  private static long[] starts() {
    return LongStream.range(0, EXTENTS).map(i -> i * 512).toArray();
  }
}
