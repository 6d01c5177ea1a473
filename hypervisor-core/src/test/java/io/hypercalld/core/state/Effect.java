package io.hypercalld.core.state;

/** What operations come to: a walk is to have seen each of them often enough. */
enum Effect {
  CREATE,
  POPULATE,
  POPULATE_UP_TO_THE_LIMIT,
  POPULATE_2_MIB,
  DECREASE,
  REMOVE,
  MOVE,
  MAKE_READ_ONLY,
  MAKE_WRITABLE,
  UNSHARE,
  DISCARD_A_WRITE,
  WRITE_WHILE_WATCHED,
  CLEAN,
  PEEK,
  MAP_FOREIGN,
  MAP_GRANT,
  MAP_GRANT_FOR_A_DEVICE,
  WRITE_THROUGH_MAPPING,
  POPULATE_ON_DEMAND,
  RECLAIM_ZEROES,
  NOMINATE_TO_EVICT,
  EVICT,
  PAGE_IN,
  WAIT_FOR_THE_PAGER,
  NOMINATE_TO_SHARE,
  SHARE,
  ADD_SHARED,
  SHARE_A_RANGE,
  MAP_DEVICE_MEMORY,
  UNMAP_DEVICE_MEMORY,
  RESTRICT,
  REPORT_TO_THE_MONITOR,
  LIFT_A_RESTRICTION,
  REFUSE_TO_EXCHANGE_GUEST_FRAMES,
  MAP_FOREIGN_FOR_A_DEVICE,
  TRACK_A_DISPLAY,
  SHOW_WHAT_WAS_DRAWN,
  CLAIM_PAGES,
  REFUSE_PAGES_WITHOUT_CLAIM,
  WRITE_TO_A_SERVER,
  RELEASE_PAGES,
  ABANDON_PAGES,
  CLEAR_ABANDONED_PAGES,
  TRY_TO_WRITE_FOR_EVER,
  REFUSE_A_PAGER_BESIDE_A_DEVICE,
  DEVICE_WRITE,
  DEVICE_STOPPED,
  DESTROY_A_ZOMBIE,
  /** Of a guest without P2M, which only a unit can serve. */
  EXCHANGE(true),
  REFUSE_EXCHANGE(true),
  PIN(true),
  UNPIN(true),
  REFUSE_LOG_DIRTY(true);

  private final boolean needsUnit;

  Effect() {
    this(false);
  }

  Effect(boolean needsUnit) {
    this.needsUnit = needsUnit;
  }

  /** Whether only devices that are assigned to their guests can bring it about. */
  boolean needsUnit() {
    return needsUnit;
  }
}
