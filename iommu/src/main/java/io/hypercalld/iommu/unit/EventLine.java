package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.Register;

/**
 * An event that the unit signals with a message of its own: the fault event, the invalidation
 * completion event or the page request event. Confined to the machine thread.
 *
 * <p>IP remembers a message that IM holds back. The unit's messages are not remapped.
 *
 * @see "VT-d §7.3"
 */
final class EventLine {
  private static final long ALL = EventControl.MUA.mask();

  private final RegisterFile registers;
  private final MessageSink sink;
  private final UnitCounters counters;
  private final Register control;
  private final Register data;
  private final Register address;
  private final Register upperAddress;

  private EventLine(
      Circuit circuit, MessageSink sink, boolean present, Register control, Register... message) {
    this.registers = circuit.registers();
    this.sink = sink;
    this.counters = circuit.counters();
    this.control = control;
    this.data = message[0];
    this.address = message[1];
    this.upperAddress = message[2];
    if (present) {
      declare(circuit);
    }
  }

  private void declare(Circuit circuit) {
    boolean wide = circuit.capabilities().extendedInterruptMode();
    registers.declare(control, control.kinds());
    registers.declare(data, data.kinds());
    registers.declare(address, address.kinds());
    registers.declare(
        upperAddress, wide ? upperAddress.kinds() : upperAddress.kinds().without(ALL));
    registers.onWrite(control, _ -> unmasked());
  }

  static EventLine faults(Circuit circuit, MessageSink sink) {
    return new EventLine(
        circuit, sink, true, Register.FECTL, Register.FEDATA, Register.FEADDR, Register.FEUADDR);
  }

  static EventLine completions(Circuit circuit, MessageSink sink) {
    return new EventLine(
        circuit, sink, true, Register.IECTL, Register.IEDATA, Register.IEADDR, Register.IEUADDR);
  }

  /** Page requests; {@code present} where the unit has any. */
  static EventLine pageRequests(Circuit circuit, MessageSink sink, boolean present) {
    return new EventLine(
        circuit, sink, present, Register.PECTL, Register.PEDATA, Register.PEADDR, Register.PEUADDR);
  }

  /** The first condition arose: sends the message, or keeps it pending while masked. */
  void raise() {
    registers.set(control, EventControl.IP.set(registers.get(control)));
    unmasked();
  }

  /** Software cleared the last condition: a message still held back is not sent any more. */
  void settle() {
    registers.set(control, EventControl.IP.clear(registers.get(control)));
  }

  private void unmasked() {
    long state = registers.get(control);
    if (EventControl.IP.isSet(state) && !EventControl.IM.isSet(state)) {
      // Cleared first: whoever takes the message may come back with stores of its own.
      registers.set(control, EventControl.IP.clear(state));
      counters.eventMessages++;
      long high = registers.get(upperAddress);
      sink.deliver(
          InterruptMessage.written(
              high << Integer.SIZE | registers.get(address), (int) registers.get(data)));
    }
  }
}
