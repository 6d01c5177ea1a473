package io.hypercalld.iommu.unit;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A device that touches the 4 KiB pages of 1 GiB round and round, so that the IOTLB never holds the
 * next one, beside a walk of its tables.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IotlbMissBenchmark {
  private final MappedUnit machine = new MappedUnit(1 << 18, 1024);

  /** Makes sure that it is misses that are measured. */
  @Setup(Level.Iteration)
  public void check() {
    machine.translate();
    if (machine.lastHit()) {
      throw new IllegalStateException("the IOTLB holds the page");
    }
  }

  /** Gives the memory back. */
  @TearDown(Level.Trial)
  public void close() {
    machine.close();
  }

  /** The yardstick. */
  @Benchmark
  public long bareWalk() {
    return machine.bareWalk();
  }

  /** The context cache answers, the tables are walked, the page is remembered. */
  @Benchmark
  public long contextWarmMiss() {
    return machine.translate();
  }

  /** Root and context entry are read as well, after they were invalidated. */
  @Benchmark
  public long coldMiss() {
    machine.forgetContexts();
    return machine.translate();
  }
}
