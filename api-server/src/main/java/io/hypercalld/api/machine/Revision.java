package io.hypercalld.api.machine;

/**
 * How often a machine has changed, for those who keep a view of it. Confined to the machine thread.
 */
public final class Revision {
  private long changes;
  private long deviceMoves;

  void changed() {
    changes++;
  }

  void devicesMoved() {
    deviceMoves++;
  }

  /** Grows with everything that may have changed the machine or its counters. */
  public long changes() {
    return changes;
  }

  /** Grows with everything that may have changed who owns which device. */
  public long deviceMoves() {
    return deviceMoves;
  }
}
