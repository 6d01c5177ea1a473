package io.hypercalld.api.machine;

/**
 * Has long hypercalls stop, to let others run.
 *
 * @param every steps after which one stops; 0 for never
 */
public record Preempt(long every) implements MachineCommand<Long> {
  @Override
  public Long execute(Machine machine) {
    machine.hypervisor().continuations().preemptEvery(every);
    return every;
  }
}
