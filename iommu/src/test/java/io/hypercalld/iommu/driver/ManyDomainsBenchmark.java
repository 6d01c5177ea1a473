package io.hypercalld.iommu.driver;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the driver does for one domain, on a unit with ten domains or all that there can be. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class ManyDomainsBenchmark {
  /** How many domains have a device, one more while it is measured. */
  @Param({"9", "65535"})
  private int domains;

  private final CrowdedDriver driver = new CrowdedDriver(Profile.TODAY);

  /** Gives every domain but one its device. */
  @Setup(Level.Trial)
  public void crowd() {
    driver.crowd(0, domains);
  }

  /** Gives the memory back. */
  @TearDown(Level.Trial)
  public void close() {
    driver.close();
  }

  /** The last domain gets a device, and gives it back. */
  @Benchmark
  public int assignAndDeassign() {
    driver.assign(domains);
    driver.deassign(domains);
    return driver.domainIds().used();
  }

  /** A page of the first domain is changed. */
  @Benchmark
  public int flushPage() {
    driver.flushPage(0);
    return driver.domainIds().used();
  }
}
