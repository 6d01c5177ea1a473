package io.hypercalld.core.dma;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.p2m.Gfn;
import java.util.BitSet;

/**
 * Which pages a kernel knows to be followed by the next one for devices, too, as it asked for that.
 * Confined to the machine thread.
 *
 * @see "Linux arch/ia64/xen/hypervisor.c, contiguous_bitmap; spec/documents.md S3-D9"
 */
public final class ContiguityMap implements Digestible {
  private final BitSet joined = new BitSet();

  /** Whether so many pages, at least 1, are known to follow each other. */
  public boolean isContiguous(long gfn, int pages) {
    int first = Math.toIntExact(gfn);
    return joined.nextClearBit(first) >= first + pages - 1;
  }

  /** A region was made contiguous; what is right before and behind it is not known to join it. */
  public void join(Gfn first, int pages) {
    int gfn = Math.toIntExact(first.value());
    separate(first, pages);
    joined.set(gfn, gfn + pages - 1);
  }

  /** A region was taken apart. */
  public void separate(Gfn first, int pages) {
    int gfn = Math.toIntExact(first.value());
    joined.clear(Math.max(0, gfn - 1), gfn + pages);
  }

  @Override
  public void digest(StateDigest digest) {
    long[] words = joined.toLongArray();
    digest.section("contiguity").put(words.length);
    for (long word : words) {
      digest.put(word);
    }
  }
}
