package io.hypercalld.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.memory.PageSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a simulated machine costs the one that it runs on. */
class HostMemoryTest {
  private static final long MIB = 1L << 20;
  private static final long TIB = 1L << 40;
  private static final int EXTENTS = (int) (TIB >> PageSize.SIZE_2M.shift());
  private static final int BATCH = 1 << 15;

  @Test
  void guestOf1Tib_in2MibPages_costsLessThan64MibForItsTables() throws IOException {
    try (SimulatedHost host = new SimulatedHost(TIB + (4L << 30))) {
      host.hypervisor().bootDom0();
      DomainId id = host.create(SimulatedHost.HVM_HAP);
      host.limit(id, TIB >> PageSize.SHIFT_4K);
      host.hypervisor()
          .domainCalls()
          .setPagingMempoolSize(DomainId.DOM0, new SetPagingMempoolSize(id, new Word(8 * MIB)));
      long touchedBefore = host.hypervisor().memory().touchedFrames();
      long mappedBefore = mappedBytes();

      for (int extent = 0; extent < EXTENTS; extent += BATCH) {
        long[] gfns = LongStream.range(extent, extent + BATCH).map(i -> i << 9).toArray();
        assertThat(host.populate(id, 9, gfns)).isEqualTo(BATCH);
      }

      assertThat(host.domain(id).p2m().tables()).isEqualTo(1 + 2 + 1024);
      long touched = host.hypervisor().memory().touchedFrames() - touchedBefore;
      assertThat(touched * PageSize.BYTES_4K).isLessThan(8 * MIB);
      assertThat(mappedBytes() - mappedBefore).isLessThan(64 * MIB);
    }
  }

  /** Bytes of the large mappings that are in memory: those of 1 GiB and more are the machine's. */
  private static long mappedBytes() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
    long bytes = 0;
    boolean large = false;
    for (String line : lines) {
      if (line.startsWith("Size:")) {
        large = kibibytes(line) > 1 << 20;
      } else if (large && line.startsWith("Rss:")) {
        bytes += kibibytes(line) << 10;
      }
    }
    return bytes;
  }

  private static long kibibytes(String line) {
    return Long.parseLong(line.replaceAll("[^0-9]", ""));
  }
}
