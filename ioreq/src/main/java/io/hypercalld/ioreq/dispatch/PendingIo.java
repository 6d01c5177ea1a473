package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestSlot;
import io.hypercalld.ioreq.server.IoServer;

/**
 * A request that a server has not answered. Confined to the machine thread.
 *
 * <p>Its state is in the slot, where the emulator may have changed it unseen; here is the last one
 * that was seen.
 */
public final class PendingIo implements Digestible {
  private final IoServer server;
  private final int vcpu;
  private final long number;
  private final IoRequest request;
  private final long since;
  private final boolean claimed;
  private final RequestSlot slot;
  private int seen = RequestSlot.READY;
  private boolean overdue;

  /** Where a request comes from: which of its domain's it is, of which vCPU, and when. */
  record Origin(int vcpu, long number, long since) {}

  PendingIo(IoServer server, Origin origin, IoRequest request, boolean claimed, RequestSlot slot) {
    this.server = server;
    this.slot = slot;
    this.vcpu = origin.vcpu;
    this.number = origin.number;
    this.since = origin.since;
    this.request = request;
    this.claimed = claimed;
  }

  public IoServer server() {
    return server;
  }

  public int vcpu() {
    return vcpu;
  }

  /** Which request of its domain's it is, from 1 on. */
  public long number() {
    return number;
  }

  public IoRequest request() {
    return request;
  }

  /** When it was sent, by the machine's clock. */
  public long since() {
    return since;
  }

  /** Whether it is a write to a page whose type the server claims. */
  boolean isClaimed() {
    return claimed;
  }

  /** Whether its answer did not come in time. */
  public boolean isOverdue() {
    return overdue;
  }

  void setOverdue() {
    overdue = true;
  }

  /** What an emulator may do to it: go on, answer, or something that makes no sense. */
  enum Progress {
    WAITING,
    ANSWERED,
    /** The emulator took it back. */
    WITHDRAWN,
    NONSENSE
  }

  /** Looks at the slot. */
  Progress look() {
    int state = slot.state();
    if (state == RequestSlot.NONE) {
      return Progress.WITHDRAWN;
    }
    if (state < seen || state > RequestSlot.RESP_READY) {
      return Progress.NONSENSE;
    }
    seen = state;
    return state == RequestSlot.RESP_READY ? Progress.ANSWERED : Progress.WAITING;
  }

  /** Its answer is lost: it looks as if the emulator were still at it. */
  void loseAnswer() {
    seen = RequestSlot.INPROCESS;
    slot.setState(seen);
  }

  /** The slot that it is in. */
  public RequestSlot slot() {
    return slot;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(server.id())
        .put(vcpu)
        .put(number)
        .put(request.toString())
        .put(since)
        .put(claimed)
        .put(seen)
        .put(overdue);
  }
}
