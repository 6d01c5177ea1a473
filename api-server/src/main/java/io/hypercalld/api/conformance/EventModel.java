package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.InterruptMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What an event's control register must hold, and which messages must have been sent. Confined to
 * the thread that runs the case.
 *
 * @see "VT-d §7.3"
 */
final class EventModel {
  private final Supplier<InterruptMessage> message;
  private final List<InterruptMessage> sent = new ArrayList<>();
  private boolean masked = true;
  private boolean pending;

  /**
   * @param message what the event's registers say at the moment
   */
  EventModel(Supplier<InterruptMessage> message) {
    this.message = message;
  }

  void raise() {
    pending = true;
    deliver();
  }

  /** Nothing is left to tell of. */
  void settle() {
    pending = false;
  }

  void writeControl(long value) {
    masked = EventControl.IM.isSet(value);
    deliver();
  }

  private void deliver() {
    if (pending && !masked) {
      pending = false;
      sent.add(message.get());
    }
  }

  long control() {
    return EventControl.IM.of(masked ? 1 : 0) | EventControl.IP.of(pending ? 1 : 0);
  }

  /** The messages since the last call. */
  List<InterruptMessage> takeSent() {
    List<InterruptMessage> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }
}
