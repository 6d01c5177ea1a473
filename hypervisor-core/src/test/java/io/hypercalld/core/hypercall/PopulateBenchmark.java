package io.hypercalld.core.hypercall;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.LongStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in pages of 4 KiB, beside a bare loop that stores the same four
 * words for each page: entry, guest frame, count and owner. What is allocated is allocated by
 * giving the memory back, which is not timed.
 */
@State(Scope.Thread)
public class PopulateBenchmark {
  private static final int PAGES = 1 << 20;
  private static final int WORDS_PER_PAGE = 4;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

  private SimulatedHost host = SimulatedHost.booted();
  private MemorySegment words =
      Arena.ofAuto().allocate((long) PAGES * WORDS_PER_PAGE * Long.BYTES, Long.BYTES);
  private DomainId id = DomainId.DOM0;
  private long odd;

  /** A domain without memory whose tables have been made before, as the host's pages have. */
  @Setup(Level.Trial)
  public void create() {
    id = host.create(SimulatedHost.HVM_HAP);
    host.limit(id, PAGES);
    host.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(
            DomainId.DOM0, new SetPagingMempoolSize(id, new Word(2200L * PageSize.BYTES_4K)));
    pages();
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

  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long bareStores() {
    odd ^= 1;
    long records = (long) PAGES * Long.BYTES;
    for (long i = 0; i < PAGES; i++) {
      words.set(WORD, i * Long.BYTES, (i << PageSize.SHIFT_4K) | odd);
      long record = records + i * (WORDS_PER_PAGE - 1) * Long.BYTES;
      words.set(WORD, record, odd);
      words.set(WORD, record + Long.BYTES, 2);
      words.set(WORD, record + 2 * Long.BYTES, ~(i + odd));
    }
    return odd;
  }

  /** Extents of 4 KiB. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long pages() {
    return host.populate(id, 0, GuestFrames.consecutive(new Gfn(0), PAGES));
  }

  private static long[] starts() {
    return LongStream.range(0, PAGES / 512).map(i -> i * 512).toArray();
  }
}
