package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.OptionalInt;
import java.util.stream.Stream;

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

  /**
   * The domain is about to get vCPUs.
   *
   * @param count how many it will have, those of now included
   * @throws io.hypercalld.core.errno.Refusal where it cannot follow; there are no more then
   */
  default void vcpusAdded(int count) {}

  /** The domain is let run for the first time: its builders are done. */
  default void started() {}

  /** The device model chose another type for a page. */
  default void retyped(Gfn gfn, P2mType type) {}

  /** The domain suspended itself, and wants its event channel of the port to say so. */
  default void suspended(long port) {}

  /** The interrupt of the machine that the domain has under a number of its own. */
  default OptionalInt machineInterrupt(long pirq) {
    return OptionalInt.empty();
  }

  /** Frames to each of which it holds a reference that is not the allocation's. */
  default Stream<Mfn> referencedFrames() {
    return Stream.empty();
  }

  /** Whether it gave the domain a device that reaches the domain's memory by itself. */
  default boolean hasDevices() {
    return false;
  }
}
