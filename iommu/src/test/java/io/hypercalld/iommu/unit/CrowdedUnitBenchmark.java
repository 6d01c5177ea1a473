package io.hypercalld.iommu.unit;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A device changes its domain, and loses a page, on a unit with ten domains or all there can be.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CrowdedUnitBenchmark {
  /** How many domains the unit translates for. */
  @Param({"10", "65535"})
  private int domains;

  private CrowdedUnit unit = new CrowdedUnit(1);

  /** Gives every domain its device. */
  @Setup
  public void crowd() {
    unit.close();
    unit = new CrowdedUnit(domains);
  }

  /** Gives the memory back. */
  @TearDown
  public void close() {
    unit.close();
  }

  /** Context entry, both flushes, and the first request in the new domain. */
  @Benchmark
  public long switchDomain() {
    return unit.switchDomain();
  }

  /** A page-selective flush and the walk after it. */
  @Benchmark
  public long flushPage() {
    return unit.flushPage();
  }
}
