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

/** A device whose 1024 pages the IOTLB holds, beside a walk of its tables. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IotlbHitBenchmark {
  private final MappedUnit machine = new MappedUnit(1024, 8192);

  /** Makes sure that it is hits that are measured. */
  @Setup(Level.Iteration)
  public void check() {
    machine.translate();
    if (!machine.lastHit()) {
      throw new IllegalStateException("the IOTLB does not hold the pages");
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

  /** Context cache and IOTLB answer. */
  @Benchmark
  public long iotlbHit() {
    return machine.translate();
  }
}
