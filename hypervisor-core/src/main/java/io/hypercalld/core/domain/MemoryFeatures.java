package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import java.util.Optional;

/**
 * What can be done with a translated domain's memory besides mapping it. Confined to the machine
 * thread.
 */
public final class MemoryFeatures implements Digestible {
  private final VmEvents events;
  private final PopulateOnDemand populateOnDemand;
  private final MemoryPaging paging;
  private final MemoryAccess access;
  private final MemorySharing sharing;

  MemoryFeatures(Domain domain, FrameAllocator allocator, SharedFrames shared) {
    this.populateOnDemand = new PopulateOnDemand(domain, allocator);
    this.events = new VmEvents(domain);
    this.paging = new MemoryPaging(domain, allocator, events);
    this.access = new MemoryAccess(domain, events);
    this.sharing = new MemorySharing(domain, allocator, shared, events);
  }

  /** Its event rings. */
  public VmEvents events() {
    return events;
  }

  /** Its guest frames that are populated when they are touched. */
  public PopulateOnDemand populateOnDemand() {
    return populateOnDemand;
  }

  /** Its pages that a pager keeps. */
  public MemoryPaging paging() {
    return paging;
  }

  /** What a monitor restricts. */
  public MemoryAccess access() {
    return access;
  }

  /** Its part in shared frames. */
  public MemorySharing sharing() {
    return sharing;
  }

  /** Why no device may reach the memory; empty where one may. */
  Optional<String> deviceVeto() {
    if (populateOnDemand.isActive()) {
      return Optional.of("some of its memory is to be populated on demand");
    }
    if (paging.excludesDevices()) {
      return Optional.of("a pager may take its memory");
    }
    return sharing.isEnabled() ? Optional.of("it may share memory") : Optional.empty();
  }

  /**
   * Gives back some of what it holds while the domain is dying.
   *
   * @return whether nothing is left
   */
  boolean relinquish() {
    events.disableAll();
    populateOnDemand.emptyCache();
    return sharing.relinquish();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(events).put(populateOnDemand).put(paging).put(access).put(sharing);
  }
}
