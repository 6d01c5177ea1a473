package io.hypercalld.api.rest;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.machine.MachineThread.Exchange;
import java.util.function.Function;

/** Finds out what would come of a change without making it. */
public interface Trial {
  /** A change to a machine, or to another one. */
  interface Change extends Function<Machine, Exchange<Machine, Reply>> {}

  /**
   * What would come of a change.
   *
   * @throws io.hypercalld.core.errno.Refusal as the change itself would
   */
  Reply attempt(Machine machine, Change change);
}
