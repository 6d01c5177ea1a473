package io.hypercalld.core.dma;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** What a page costs the heap that is mapped for a device and unmapped again. */
class DmaApiAllocationTest {
  private static final int WARMING = 200_000;
  private static final int PAIRS = 100_000;

  /** What the compiler or the measurement itself may leave: a pair that allocates leaves more. */
  private static final long NOISE = 4L * PAIRS;

  @Test
  void pairs_inModesThatAskNobody_allocateNothing() {
    try (DmaApiPairs pairs = new DmaApiPairs()) {
      assertThat(allocated(pairs::identity)).isLessThan(NOISE);
      assertThat(allocated(pairs::p2m)).isLessThan(NOISE);
      // What is copied is read into an array first: this is what would be seen.
      assertThat(allocated(pairs::bounced)).isGreaterThan(NOISE);
    }
  }

  private static long allocated(LongSupplier pair) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (int i = 0; i < WARMING; i++) {
      sum += pair.getAsLong();
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < PAIRS; i++) {
      sum += pair.getAsLong();
    }
    long after = threads.getCurrentThreadAllocatedBytes();
    assertThat(sum).isNotZero();
    return after - before;
  }
}
