package io.hypercalld.iommu.virtual;

import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * What of which shadows a guest had forgotten: for each the smallest range that covers all of it.
 * Confined to the machine thread.
 */
final class StaleRanges {
  private final Map<ShadowSpace, Range> ranges = new LinkedHashMap<>();

  /** Frames from one to before another. */
  record Range(long from, long to) {
    static final Range ALL = new Range(0, ShadowSpace.END);

    private Range and(Range other) {
      return new Range(Math.min(from, other.from), Math.max(to, other.to));
    }

    private static Range of(long iova, int addressMask) {
      long frames = 1L << addressMask;
      long first = (iova >>> PageSize.SHIFT_4K) & -frames;
      return new Range(Math.min(first, ShadowSpace.END), Math.min(first + frames, ShadowSpace.END));
    }
  }

  /** What a command names, of these shadows. */
  void add(Invalidation.OfTranslations command, Collection<ShadowSpace> spaces) {
    for (ShadowSpace space : spaces) {
      switch (command) {
        case Invalidation.AllTranslations _ -> add(space, Range.ALL);
        case Invalidation.DomainTranslations(int domainId) -> {
          if (space.hasDomainId(domainId)) {
            add(space, Range.ALL);
          }
        }
        case Invalidation.PageTranslations(int domainId, long iova, int mask, boolean _) -> {
          if (space.hasDomainId(domainId)) {
            add(space, Range.of(iova, mask));
          }
        }
      }
    }
  }

  private void add(ShadowSpace space, Range range) {
    ranges.merge(space, range, Range::and);
  }

  void forEach(BiConsumer<ShadowSpace, Range> action) {
    ranges.forEach(action);
  }
}
