package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.p2m.SyncHook;

/** What another module keeps for a domain. Torn down in the reverse order of registration. */
public interface DomainFacet extends Digestible {
  /**
   * Gives back some of what it holds while the domain is dying: one step of bounded length.
   *
   * @return whether nothing is left
   */
  boolean relinquish();

  /**
   * Frames became a PV domain's to write.
   *
   * @param hook the kind of change, which somebody who mirrors them may have been told to miss
   * @throws io.hypercalld.core.errno.Refusal where it cannot follow; the frames are then taken back
   */
  default void framesGained(FrameRun frames, SyncHook hook) {}

  /** Frames are about to cease to be a PV domain's to write. */
  default void framesLost(FrameRun frames, SyncHook hook) {}

  /** Whether it gave the domain a device that reaches the domain's memory by itself. */
  default boolean hasDevices() {
    return false;
  }
}
