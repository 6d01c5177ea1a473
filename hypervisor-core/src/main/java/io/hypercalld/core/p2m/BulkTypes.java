package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * What decides the type of pages whose type can change in bulk: which guest frames are to be
 * watched for writes, and whether pages may be for servers. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, p2m_is_logdirty_range and p2m_recalc_type"
 */
final class BulkTypes implements Digestible {
  private final FrameRanges<Boolean> logDirty = new FrameRanges<>();
  private final IoreqRules ioreq;
  private boolean globalLogDirty;

  BulkTypes(IoreqRules ioreq) {
    this.ioreq = ioreq;
  }

  IoreqRules ioreq() {
    return ioreq;
  }

  boolean isGloballyLogDirty() {
    return globalLogDirty;
  }

  /** How much of a range is watched. */
  Coverage logDirty(long gfn, long frames) {
    if (globalLogDirty) {
      return Coverage.ALL;
    }
    long covered = logDirty.covered(gfn, gfn + frames);
    return Coverage.of(covered > 0, covered == frames);
  }

  /** What a page of the type that waits to be recalculated is by now. */
  P2mType recalculated(P2mType stored, long gfn) {
    if (!P2mType.CHANGEABLE.contains(stored) || ioreq.of(stored).kept()) {
      return stored;
    }
    return logDirty(gfn, 1) == Coverage.ALL ? P2mType.RAM_LOGDIRTY : P2mType.RAM_RW;
  }

  /**
   * Notes a change of everything. Only one from or to log-dirty has a say in what is watched, so
   * that pages taken from a server do not end somebody's migration, as they do in Xen.
   */
  void changeAll(P2mType from, P2mType to) {
    if (from != to && (from == P2mType.RAM_LOGDIRTY || to == P2mType.RAM_LOGDIRTY)) {
      globalLogDirty = to == P2mType.RAM_LOGDIRTY;
    }
  }

  /** Notes a change of a range; its end is exclusive. */
  void changeRange(long start, long end, P2mType to) {
    switch (to) {
      case RAM_LOGDIRTY -> logDirty.put(start, end, true);
      case RAM_RW -> logDirty.remove(start, end);
      default -> {}
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(globalLogDirty);
    logDirty.forEach((start, end, _) -> digest.put(start).put(end));
  }
}
