package io.hypercalld.core.memory;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.TreeMap;

/**
 * Frames that are free and yet promised to a domain, so that populating it cannot fail half-way.
 * Confined to the machine thread.
 *
 * @see "xen/common/page_alloc.c, outstanding_claims"
 */
public final class Claims implements Digestible {
  private final TreeMap<Integer, Long> byOwner = new TreeMap<>();
  private long total;

  /** Frames promised to all domains. */
  public long total() {
    return total;
  }

  /** Frames promised to the domain. */
  public long of(int owner) {
    return total == 0 ? 0 : byOwner.getOrDefault(owner, 0L);
  }

  /** Promises the domain that many frames instead of those before; none where it is 0. */
  public void set(int owner, long frames) {
    total += frames - of(owner);
    if (frames == 0) {
      byOwner.remove(owner);
    } else {
      byOwner.put(owner, frames);
    }
  }

  /** Notes that the domain got some of what it was promised, or more. */
  public void redeem(int owner, long frames) {
    long left = of(owner);
    if (left > 0) {
      set(owner, Math.max(0, left - frames));
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("claims").put(byOwner.size());
    byOwner.forEach((owner, frames) -> digest.put(owner).put(frames));
  }
}
