package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.FrameAllocator;
import java.util.Optional;

/**
 * What can be done with a translated domain's memory besides mapping it. Confined to the machine
 * thread.
 */
final class MemoryFeatures implements Digestible {
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

  VmEvents events() {
    return events;
  }

  PopulateOnDemand populateOnDemand() {
    return populateOnDemand;
  }

  MemoryPaging paging() {
    return paging;
  }

  MemoryAccess access() {
    return access;
  }

  MemorySharing sharing() {
    return sharing;
  }

  /** Why no device may reach the memory; empty where one may. */
  Optional<String> deviceVeto() {
    if (populateOnDemand.isActive()) {
      return Optional.of("some of its memory is to be populated on demand");
    }
    if (paging.isEnabled()) {
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
