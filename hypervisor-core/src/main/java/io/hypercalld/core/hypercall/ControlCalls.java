package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.memory.FrameTable;

/**
 * The hypercalls with which control domains and device models manage a domain, by what they are
 * about. Confined to the machine thread.
 */
public record ControlCalls(
    LifecycleCalls lifecycle,
    IoCapabilityCalls ioCapabilities,
    PageCalls pages,
    LogDirtyCalls logDirty,
    DeviceModelCalls deviceModel,
    DeviceModelFrames deviceModelFrames) {
  /** The calls on these domains. */
  public static ControlCalls of(
      DomainTable domains, FrameTable frames, Continuations continuations) {
    return new ControlCalls(
        new LifecycleCalls(domains),
        new IoCapabilityCalls(domains, frames),
        new PageCalls(domains, frames),
        new LogDirtyCalls(domains, continuations),
        new DeviceModelCalls(domains, continuations),
        new DeviceModelFrames(domains));
  }
}
