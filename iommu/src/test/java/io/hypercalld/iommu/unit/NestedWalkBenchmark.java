package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FirstLevelEntry;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import io.hypercalld.iommu.vtd.UnitVersion;
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
 * A device whose first-level tables lie behind second-level ones, and whose pages the IOTLB never
 * holds, beside plain reads of the same entries: four first-level ones, each found by four
 * second-level ones, and four more for the page. All pages have been accessed before, as in every
 * round but the first: nothing is to be marked.
 *
 * <p>A request begins when the one before it has been answered, and its address is as unknown to
 * the compiler as a device's is. Where the compiler knows that the upper half of all addresses is
 * zero, it takes the indices of the upper tables for constants: then ten of the plain reads wait
 * for nothing and are done beside the last request's, as no walk can do them.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NestedWalkBenchmark {
  private static final int PAGES = 1 << 14;
  private static final long FIRST_PAGE = 0x100_0000L;
  private static final UnitSettings.CacheSizes CACHES = new UnitSettings.CacheSizes(1024, 64);

  private final ScalableUnit machine =
      ScalableUnit.on(
          UnitSettings.of(
                  UnitVersion.V1_0, ScalableUnit.CAPABILITIES, SimulatedUnit.HOST_ADDRESS_WIDTH)
              .withCaches(CACHES));
  private final Translation translation = new Translation();
  private int page;
  private long answer;

  /** Always zero, which the compiler does not know. */
  private long nothing;

  /** Maps everything. */
  public NestedWalkBenchmark() {
    machine.mapTables();
    for (long each = 0; each < PAGES; each++) {
      long address = FIRST_PAGE + each * PageSize.BYTES_4K;
      long leaf = FirstLevelEntry.leaf(address, PageSize.SIZE_4K, true);
      machine.put(each * PageSize.BYTES_4K, 1, FirstLevelEntry.A.set(leaf));
      machine.mapSecond(address, address, SecondStageEntry.READ_WRITE);
    }
    machine.pasid(machine.nestedEntry());
  }

  /** Makes sure that it is walks that are measured, and that they come to an end. */
  @Setup(Level.Iteration)
  public void check() {
    nestedMiss();
    if (!translation.passed() || translation.iotlbHit()) {
      throw new IllegalStateException("not a walk: " + translation.outcome());
    }
  }

  /** Gives the memory back. */
  @TearDown(Level.Trial)
  public void close() {
    machine.close();
  }

  private long nextIova(long answered) {
    page = (page + 1) & (PAGES - 1);
    return page * (long) PageSize.BYTES_4K + (answered & nothing);
  }

  private long secondStage(long gpa) {
    long table = machine.secondLevel;
    for (int level = 4; level > 1; level--) {
      table =
          SecondStageEntry.target(
              machine.memory.readWord(table + SecondStageEntry.offset(gpa, level)));
    }
    return SecondStageEntry.target(machine.memory.readWord(table + SecondStageEntry.offset(gpa, 1)))
        | (gpa & (PageSize.BYTES_4K - 1));
  }

  /** The yardstick: the 24 entries, and nothing but their addresses. */
  @Benchmark
  public long bareReads() {
    long iova = nextIova(answer);
    long table = machine.firstLevel;
    for (int level = 4; level >= 1; level--) {
      long slot = secondStage(table + SecondStageEntry.offset(iova, level));
      table = FirstLevelEntry.target(machine.memory.readWord(slot));
    }
    answer = secondStage(table);
    return answer;
  }

  /** The context is remembered, the page has long made room for others. */
  @Benchmark
  public long nestedMiss() {
    machine.unit.translate(
        ScalableUnit.X,
        ScalableUnit.USER,
        nextIova(translation.maddr()),
        DmaAccess.READ,
        translation);
    return translation.maddr();
  }
}
