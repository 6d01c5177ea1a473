package io.hypercalld.ioreq.server;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The end of a claim: its release, and the sweep that makes what is tagged plain RAM. A claim
 * begins with nothing tagged, so its end alone can cost more for more pages. Bare is a load and a
 * store of 8 bytes for each tagged page.
 */
public class PageClaimBenchmark {
  /** How often a claim is rehearsed: invocations with a million pages are too few to compile it. */
  private static final int REHEARSALS = 20_000;

  /** More words than caches hold. */
  private static final int CACHES = 1 << 23;

  private static final int CACHE_LINE = 8;

  /** Which pages are tagged. */
  public enum Tagged {
    LOWEST(0, 1),
    HIGHEST(ClaimedGuest.PAGES - 1, 1),
    MILLION(0, 1_000_000);

    private final long first;
    private final long count;

    Tagged(long first, long count) {
      this.first = first;
      this.count = count;
    }

    NumberRange pages() {
      return NumberRange.of(first, count);
    }
  }

  /** A guest without a claim. */
  @State(Scope.Thread)
  public static class Unclaimed {
    @Param({"LAZY", "INDEXED"})
    ClaimUpdate update = ClaimUpdate.LAZY;

    @Param({"LOWEST", "HIGHEST", "MILLION"})
    Tagged tagged = Tagged.LOWEST;

    ClaimedGuest guest = new ClaimedGuest(update);

    /** Again, as what is wanted is known only now. */
    @Setup(Level.Trial)
    public void build() {
      guest.close();
      guest = new ClaimedGuest(update);
      for (int i = 0; i < REHEARSALS; i++) {
        guest.claim(Tagged.LOWEST.pages());
        guest.release();
        guest.sweep();
      }
    }

    @TearDown(Level.Trial)
    public void close() {
      guest.close();
    }
  }

  /** A guest with a claim and tagged pages, all of which left the caches, be they many or not. */
  @State(Scope.Thread)
  public static class Claimed extends Unclaimed {
    private final long[] other = new long[CACHES];

    @Setup(Level.Invocation)
    public void claim() {
      guest.sweep();
      guest.claim(tagged.pages());
      for (int i = 0; i < CACHES; i += CACHE_LINE) {
        other[i]++;
      }
    }
  }

  /** A guest whose pages are tagged for nobody. */
  @State(Scope.Thread)
  public static class Released extends Claimed {
    @Setup(Level.Invocation)
    public void release() {
      guest.release();
    }
  }

  @Benchmark
  public long bareStores(Unclaimed state) {
    MachineMemory memory = state.guest.memory();
    long sum = 0;
    long end = state.tagged.count * Long.BYTES;
    for (long at = 0; at < end; at += Long.BYTES) {
      long word = memory.readWord(at);
      memory.writeWord(at, word);
      sum += word;
    }
    return sum;
  }

  @Benchmark
  public void release(Claimed state) {
    state.guest.release();
  }

  @Benchmark
  public long sweep(Released state) {
    return state.guest.sweep();
  }
}
