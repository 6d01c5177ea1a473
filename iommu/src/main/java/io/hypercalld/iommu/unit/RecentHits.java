package io.hypercalld.iommu.unit;

import io.hypercalld.core.memory.PageSize;
import java.util.Arrays;

/**
 * Requests that context cache and IOTLB have answered together, so that the next one like it asks
 * neither. Confined to the machine thread.
 *
 * <p>Knows nothing that the two do not: whoever takes something out of them, or withdraws a mark of
 * a hit, has everything here forgotten, which is one increment. So it is no state of its own, and
 * in no digest.
 */
final class RecentHits {
  /*
   * An entry is a pair of adjacent words: requester and page, and the leaf with the epoch in which
   * it was noted. Only what both caches have marked as hit is noted, for a hit here marks nothing.
   * While nothing is noted nobody looks: devices that hit nothing pay nothing.
   */
  static final long MISS = 0;

  private static final int ENTRIES = 2048;
  private static final int MASK = ENTRIES - 1;
  private static final int PAGE_BITS = 45;
  private static final int ADDRESS_BITS = PAGE_BITS + PageSize.SHIFT_4K;
  private static final long EPOCH_MASK = Leaf.EPOCH.mask();
  private static final long EPOCH_STEP = Leaf.EPOCH.of(1);

  /** None before something is noted. */
  private long[] words = {};

  /** In the bits of {@link Leaf#EPOCH}; at first none that a word of zeros could be of. */
  private long epoch = EPOCH_STEP;

  private boolean empty = true;

  /** Whether nothing is noted. */
  boolean isEmpty() {
    return empty;
  }

  /** The leaf that answers a requester's request at the address, or {@link #MISS}. */
  long find(int sourceId, long iova) {
    int entry = entry(sourceId, iova);
    long leaf = words[entry + 1];
    boolean known = words[entry] == key(sourceId, iova) && (leaf & EPOCH_MASK) == epoch;
    return known && iova >>> ADDRESS_BITS == 0 ? leaf : MISS;
  }

  /** Notes what both caches have answered, and marked. */
  void note(int sourceId, long iova, long leaf) {
    if (words.length == 0) {
      words = new long[2 * ENTRIES];
    }
    int entry = entry(sourceId, iova);
    words[entry] = key(sourceId, iova);
    words[entry + 1] = (leaf & ~EPOCH_MASK) | epoch;
    empty = false;
  }

  /** One of the caches has lost something. */
  void forget() {
    if (!empty) {
      empty = true;
      nextEpoch();
    }
  }

  private void nextEpoch() {
    epoch += EPOCH_STEP;
    if ((epoch & ~EPOCH_MASK) != 0) {
      epoch = EPOCH_STEP;
      Arrays.fill(words, 0);
    }
  }

  private static long key(int sourceId, long iova) {
    return (long) sourceId << PAGE_BITS | iova >>> PageSize.SHIFT_4K;
  }

  private static int entry(int sourceId, long iova) {
    return 2 * ((int) (iova >>> PageSize.SHIFT_4K) + sourceId & MASK);
  }
}
