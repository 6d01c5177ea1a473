package io.hypercalld.core.dma;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Maps and unmaps a page through the DMA API where nobody has to be asked, and bounces one. */
@State(Scope.Thread)
public class DmaApiBenchmark {
  private final DmaApiPairs pairs = new DmaApiPairs();

  @Setup(Level.Trial)
  public void warm() {
    pairs.warm();
  }

  @TearDown(Level.Trial)
  public void stop() {
    pairs.close();
  }

  @Benchmark
  public long p2m() {
    return pairs.p2m();
  }

  @Benchmark
  public long identity() {
    return pairs.identity();
  }

  @Benchmark
  public long bounced() {
    return pairs.bounced();
  }
}
