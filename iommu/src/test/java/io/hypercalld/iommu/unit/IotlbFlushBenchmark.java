package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * One domain's translations put and dropped again, while few or many of other domains are
 * remembered: what is dropped costs, what stays does not.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class IotlbFlushBenchmark {
  private static final int ENTRIES = 65536;
  private static final int DOMAIN = 1;
  private static final int FIRST_OTHER_DOMAIN = 2;
  private static final int OTHER_DOMAINS = 200;
  private static final int OWN_PAGES = 8;
  private static final int READ_WRITE = 3;

  /** How many translations of other domains the IOTLB holds. */
  @Param({"10", "8000"})
  private int others;

  private final Iotlb iotlb = new Iotlb(ENTRIES, 65536, new RecentHits());

  /** Fills in the others. */
  @Setup
  public void fill() {
    for (int each = 0; each < others; each++) {
      put(FIRST_OTHER_DOMAIN + each % OTHER_DOMAINS, each / OTHER_DOMAINS);
    }
  }

  private void put(int domainId, long page) {
    long iova = page * PageSize.BYTES_4K;
    iotlb.put(domainId, iova, Leaf.of(iova + PageSize.SIZE_1G.bytes(), 1, READ_WRITE));
  }

  /** One page, remembered and dropped by a page-selective command. */
  @Benchmark
  public void pageSelective() {
    put(DOMAIN, OWN_PAGES);
    iotlb.invalidatePages(DOMAIN, OWN_PAGES * (long) PageSize.BYTES_4K, 0);
  }

  /** Eight pages, remembered and dropped by a domain-selective command. */
  @Benchmark
  public void domainSelective() {
    for (int page = 0; page < OWN_PAGES; page++) {
      put(DOMAIN, page);
    }
    iotlb.invalidateSpace(DOMAIN);
  }
}
