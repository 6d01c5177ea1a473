package io.hypercalld.core.guest;

import io.hypercalld.core.p2m.P2mType;

/** Where the part of an access that lies in one page goes. Immutable. */
sealed interface Landing {
  /** To memory, or to a device's registers where the machine has no RAM. */
  record Frame(long maddr) implements Landing {}

  /** To an emulator. */
  record Emulated(P2mType type) implements Landing {}

  /** Nowhere: it completes without effect. */
  record Dropped() implements Landing {}

  /** It does not complete. */
  record Stopped(AccessOutcome outcome) implements Landing {}

  static Stopped stopped(AccessOutcome.Verdict verdict, String reason) {
    return new Stopped(AccessOutcome.stopped(verdict, reason));
  }
}
