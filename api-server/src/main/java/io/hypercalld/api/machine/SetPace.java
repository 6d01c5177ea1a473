package io.hypercalld.api.machine;

/**
 * Has devices' requests follow each other faster or slower, as far as fault storms are told.
 *
 * @param nanoseconds from one request to the next; not negative
 */
public record SetPace(long nanoseconds) implements MachineCommand<Long> {
  @Override
  public Long execute(Machine machine) {
    machine.faults().setPace(nanoseconds);
    return nanoseconds;
  }
}
