package io.hypercalld.core.hypercall;

import io.hypercalld.core.memory.PageSize;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code populate_physmap} of 4 GiB in pages of 4 KiB, beside a bare loop that stores the same four
 * words for each page: entry, guest frame, count and owner. Giving the memory back is not timed.
 */
@State(Scope.Thread)
public class PopulateBenchmark {
  private static final int PAGES = EmptyGuest.PAGES;
  private static final int WORDS_PER_PAGE = 4;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

  private final EmptyGuest guest = new EmptyGuest();
  private final GuestFrames frames = EmptyGuest.extents(0);
  private MemorySegment words =
      Arena.ofAuto().allocate((long) PAGES * WORDS_PER_PAGE * Long.BYTES, Long.BYTES);
  private long odd;

  /** Tables have been made before, as the host's pages have. */
  @Setup(Level.Trial)
  public void touch() {
    pages();
    empty();
  }

  @TearDown(Level.Invocation)
  public void empty() {
    guest.release();
  }

  @TearDown(Level.Trial)
  public void close() {
    guest.close();
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
    return guest.populate(0, frames);
  }
}
