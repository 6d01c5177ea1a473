package io.hypercalld.api.experiment;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.ioreq.hypercall.DestroyIoreqServer;
import io.hypercalld.ioreq.hypercall.MapIoRange;
import io.hypercalld.ioreq.hypercall.UnmapIoRange;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.IoRanges;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.List;
import java.util.Optional;

/**
 * A page table's pages protected as before there was a type: each write-protected, and its address
 * mapped as a range. Confined to the thread that runs the experiment.
 */
final class RangeTrial {
  private static final int MEMORY = 1;

  /** As somebody proposed. */
  private static final long MORE_RANGES = 8192;

  private static final long PER = 1000;

  /** Pages that hold entries of the graphics processor's memory. */
  private static final long LEAF_TABLES = 2048;

  private final ClaimBench bench;
  private final long[] pages;

  RangeTrial(ClaimBench bench, long[] pages) {
    this.bench = bench;
    this.pages = pages.clone();
  }

  List<PageClaimAnswer.Ranges> rows() {
    return List.of(byRanges(), thoughtOf(), byType());
  }

  private PageClaimAnswer.Ranges byRanges() {
    bench.choose(ClaimPolicies.SHIPPED);
    IoServer server = bench.server();
    bench.reset();
    int mapped = 0;
    Optional<Errno> refused = Optional.empty();
    while (refused.isEmpty() && mapped < pages.length) {
      refused = bench.tries(map(server, pages[mapped]));
      if (refused.isEmpty()) {
        bench.retype(pages[mapped], 1, ClaimBench.RAM_RO);
        mapped++;
      }
    }
    int held = server.ranges().ranges(RangeKind.MEMORY).size();
    for (int page = 0; page < mapped; page++) {
      bench.retype(pages[page], 1, ClaimBench.RAM_RW);
      bench.call(unmap(server, pages[page]));
    }
    long calls = bench.cost().hypercalls() - (refused.isPresent() ? 1 : 0);
    bench.call(new DestroyIoreqServer(bench.guest().id(), server.id(), 0));
    return new PageClaimAnswer.Ranges(
        "a range for each page",
        IoRanges.MOST,
        Optional.of((long) mapped),
        refused.map(Errno::name),
        mapped * PER / LEAF_TABLES,
        Optional.of(fails(held)),
        calls * PER / mapped,
        meanPosition(held));
  }

  private static PageClaimAnswer.Ranges thoughtOf() {
    return new PageClaimAnswer.Ranges(
        "the same with more ranges",
        MORE_RANGES,
        Optional.empty(),
        Optional.empty(),
        MORE_RANGES * PER / LEAF_TABLES,
        Optional.of(fails(MORE_RANGES)),
        4 * PER,
        meanPosition(MORE_RANGES));
  }

  private PageClaimAnswer.Ranges byType() {
    IoServer server = bench.server();
    bench.reset();
    bench.claim(server);
    for (long page : pages) {
      bench.retype(page, 1, ClaimBench.IOREQ_SERVER);
    }
    for (long page : pages) {
      bench.retype(page, 1, ClaimBench.RAM_RW);
    }
    bench.release(server);
    long calls = bench.cost().hypercalls();
    bench.call(new DestroyIoreqServer(bench.guest().id(), server.id(), 0));
    return new PageClaimAnswer.Ranges(
        "a type",
        bench.guest().p2m().maxMappedGfn().value() + 1,
        Optional.of((long) pages.length),
        Optional.empty(),
        PER,
        Optional.empty(),
        calls * PER / pages.length,
        PER);
  }

  private static long fails(long ranges) {
    return ranges / PageClaimQuestion.TABLE_PAGES + 1;
  }

  /** Of a member of a list in which all are looked for equally often. */
  private static long meanPosition(long ranges) {
    return (ranges + 1) * PER / 2;
  }

  private MapIoRange map(IoServer server, long gfn) {
    return new MapIoRange(
        bench.guest().id(), server.id(), 0, MEMORY, new Word(first(gfn)), new Word(last(gfn)));
  }

  private UnmapIoRange unmap(IoServer server, long gfn) {
    return new UnmapIoRange(
        bench.guest().id(), server.id(), 0, MEMORY, new Word(first(gfn)), new Word(last(gfn)));
  }

  private static long first(long gfn) {
    return gfn << PageSize.SHIFT_4K;
  }

  private static long last(long gfn) {
    return first(gfn) + PageSize.BYTES_4K - 1;
  }
}
