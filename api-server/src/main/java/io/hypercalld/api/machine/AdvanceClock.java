package io.hypercalld.api.machine;

/** Lets time pass for the machine. */
public record AdvanceClock(long nanoseconds) implements MachineCommand<Long> {
  @Override
  public Long execute(Machine machine) {
    machine.hypervisor().clock().advance(nanoseconds);
    return machine.hypervisor().clock().now();
  }
}
