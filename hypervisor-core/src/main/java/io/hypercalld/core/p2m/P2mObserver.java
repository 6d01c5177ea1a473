package io.hypercalld.core.p2m;

/** Somebody whose tables or caches follow a P2M. */
public interface P2mObserver {
  /**
   * Called after the entry is written and the table is consistent, before replaced tables are
   * freed, and only where the frame or the DMA permission differs from before.
   *
   * @throws io.hypercalld.core.errno.Refusal where it cannot follow: the P2M then restores what was
   *     there and hands the refusal on
   */
  void changed(P2mChange change);
}
