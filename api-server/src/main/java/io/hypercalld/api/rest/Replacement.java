package io.hypercalld.api.rest;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;

/**
 * A machine that is ready to take the place of another. Immutable.
 *
 * @param fresh nobody else's until the change is made
 * @param change puts it there; fails only before it has changed anything
 */
public record Replacement(Machine fresh, Trial.Change change) implements Trial.Change {
  @Override
  public Exchange<Machine, Reply> apply(Machine before) {
    return change.apply(before);
  }

  /** Nobody will need it. */
  void abandon() {
    fresh.close();
  }
}
