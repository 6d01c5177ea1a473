package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.Word;
import io.hypercalld.iommu.unit.ExplainStep.Table;
import java.util.function.LongUnaryOperator;

/**
 * Finds out which page would translate a request, from the IOTLB or from tables. Confined to the
 * machine thread.
 *
 * <p>Tables are read twice: as hardware reads them, which may know the last table without looking,
 * and as they are. Where the two differ the answer is stale.
 */
final class ExplainedPage {
  private final MemoryRequest request;
  private final ExplainSteps steps;
  private boolean cached;
  private boolean stale;

  ExplainedPage(MemoryRequest request, ExplainSteps steps) {
    this.request = request;
    this.steps = steps;
  }

  /** A walk whose steps go to the trace. */
  @FunctionalInterface
  interface Walk {
    /** The {@link Leaf} word in which the walk ends. */
    long end(WalkTrace trace);
  }

  /** Whether the IOTLB answers. */
  boolean isCached() {
    return cached;
  }

  /** Whether a cache answers what the tables do not say any more. */
  boolean isStale() {
    return stale;
  }

  /**
   * The page, or the reason why there is none: a {@link Leaf} word.
   *
   * @param remembered what the IOTLB has; {@link Iotlb#MISS} where it has nothing
   * @param judge what a remembered page is for the request: itself, or a fault
   * @param actual the walk that hardware would make
   * @param fresh the walk of all tables
   */
  long find(long remembered, LongUnaryOperator judge, Walk actual, Walk fresh) {
    boolean known = remembered != Iotlb.MISS;
    boolean clean =
        known && Leaf.isClean(remembered) && request.access().dirties(Leaf.permissions(remembered));
    cached = known && !clean;
    long fromCache = cached ? judge.applyAsLong(remembered) : Iotlb.MISS;
    if (clean) {
      steps.clean(remembered);
    } else if (cached) {
      String raw = new Word(remembered).toString();
      steps.hit(Table.IOTLB, raw, Leaf.decode(remembered), Leaf.isFault(fromCache));
    } else {
      steps.miss(Table.IOTLB);
    }
    return cached ? whenCached(fromCache, fresh) : whenWalked(actual, fresh);
  }

  private long whenCached(long fromCache, Walk fresh) {
    stale = !sameAnswer(fromCache, fresh.end(steps));
    return fromCache;
  }

  private long whenWalked(Walk actual, Walk fresh) {
    long leaf = actual.end(steps);
    stale = !sameAnswer(leaf, fresh.end(new ExplainSteps(request, false)));
    return leaf;
  }

  private boolean sameAnswer(long one, long other) {
    if (Leaf.isFault(one) || Leaf.isFault(other)) {
      return Leaf.isFault(one) && Leaf.isFault(other) && Leaf.reason(one) == Leaf.reason(other);
    }
    return Leaf.maddr(one, request.iova()) == Leaf.maddr(other, request.iova());
  }
}
