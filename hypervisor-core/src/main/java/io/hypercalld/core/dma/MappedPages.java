package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import java.util.TreeMap;
import org.agrona.collections.Long2LongCounterMap;

/**
 * Which pages of the bus drivers have mapped, and how often. Confined to the machine thread.
 *
 * @see "Linux kernel/dma/debug.c"
 */
final class MappedPages implements Digestible {
  private final Long2LongCounterMap counts = new Long2LongCounterMap(0);

  void add(long bus, int length) {
    long last = last(bus, length);
    for (long page = bus >>> PageSize.SHIFT_4K; page <= last; page++) {
      counts.incrementAndGet(page);
    }
  }

  /**
   * Takes back what was added.
   *
   * @throws Refusal EINVAL where it was not. Nothing changed
   */
  void remove(long bus, int length) {
    require(bus, length);
    long last = last(bus, length);
    for (long page = bus >>> PageSize.SHIFT_4K; page <= last; page++) {
      counts.decrementAndGet(page);
    }
  }

  /**
   * Refuses what nobody added.
   *
   * @throws Refusal EINVAL
   */
  void require(long bus, int length) {
    long last = last(bus, length);
    for (long page = bus >>> PageSize.SHIFT_4K; page <= last; page++) {
      if (counts.get(page) == 0) {
        throw Refusal.of(Errno.EINVAL, "%d bytes at 0x%x of the bus are not mapped", length, bus);
      }
    }
  }

  boolean contains(long bus) {
    return counts.get(bus >>> PageSize.SHIFT_4K) > 0;
  }

  /** Pages mapped at least once. */
  int size() {
    return counts.size();
  }

  @Override
  public void digest(StateDigest digest) {
    TreeMap<Long, Long> sorted = new TreeMap<>();
    counts.forEach(sorted::put);
    digest.section("mapped-pages").put(sorted.size());
    sorted.forEach((page, count) -> digest.put(page).put(count));
  }

  private static long last(long bus, int length) {
    return (bus + length - 1) >>> PageSize.SHIFT_4K;
  }
}
