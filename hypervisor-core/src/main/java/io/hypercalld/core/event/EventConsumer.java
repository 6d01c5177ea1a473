package io.hypercalld.core.event;

/** The hypervisor's end of an event channel, in the place of a guest's port. */
@FunctionalInterface
public interface EventConsumer {
  /** The other end sent an event. */
  void notified();
}
