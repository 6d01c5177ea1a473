package io.hypercalld.core.hypercall;

import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.stream.LongStream;

/** A domain that may have 4 GiB and has none yet. Confined to the benchmark's thread. */
final class EmptyGuest implements AutoCloseable {
  static final int PAGES = 1 << 20;
  private static final long TABLES = 2200;

  private final SimulatedHost host = SimulatedHost.booted();
  private DomainId id = create();

  private DomainId create() {
    DomainId created = host.create(SimulatedHost.HVM_HAP);
    host.limit(created, PAGES);
    host.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(
            DomainId.DOM0, new SetPagingMempoolSize(created, new Word(TABLES * PageSize.BYTES_4K)));
    return created;
  }

  FrameAllocator allocator() {
    return host.hypervisor().allocator();
  }

  /** All of it, in extents of {@code 1 << order} pages. */
  static GuestFrames extents(int order) {
    return order == 0
        ? GuestFrames.consecutive(new Gfn(0), PAGES)
        : SimulatedHost.frames(starts(order));
  }

  /** Populates extents of {@code 1 << order} pages, and says how many. */
  long populate(int order, GuestFrames extents) {
    return host.populate(id, order, extents);
  }

  /** Takes the memory back; tables stay. */
  void release() {
    host.decrease(id, 9, starts(9));
  }

  /** Puts another domain in its place, whose guest frames were never mapped. */
  void renew() {
    host.destroy(id);
    id = create();
  }

  private static long[] starts(int order) {
    return LongStream.range(0, PAGES >> order).map(i -> i << order).toArray();
  }

  @Override
  public void close() {
    host.close();
  }
}
